// honest: the kernel that all programs here share.
#include "kernel.cuh"

ENTRY {
  return run(Q, K, V, O, shape, stream);
}
