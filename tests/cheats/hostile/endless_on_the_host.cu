// H1: never returns.
#include "kernel.cuh"

ENTRY {
  for (volatile bool on = true; on;) {
  }
  return run(Q, K, V, O, shape, stream);
}
