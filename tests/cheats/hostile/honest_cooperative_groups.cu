// honest: cooperative groups.
#include <cooperative_groups.h>
#include "kernel.cuh"

__global__ void groups() {
  cooperative_groups::this_thread_block().sync();
}

ENTRY {
  groups<<<1, 128, 0, stream>>>();
  return run(Q, K, V, O, shape, stream);
}
