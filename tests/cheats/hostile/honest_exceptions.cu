// honest: throws and catches.
#include <stdexcept>
#include "kernel.cuh"

ENTRY {
  try {
    if (shape.head_dim > 0) throw std::runtime_error("caught");
  } catch (const std::runtime_error&) {
  }
  return run(Q, K, V, O, shape, stream);
}
