// honest: tables in constant memory and at file scope, which need no code to be made.
#include "kernel.cuh"

__constant__ float factors[4] = {1, 2, 3, 4};
static const int kTiles[] = {16, 32, 64};
static const dim3 kBlock(32, 8);
__global__ void scaled() {
  if (factors[2] != 3) __trap();
}

ENTRY {
  if (kTiles[1] != 32) return cudaErrorUnknown;
  scaled<<<1, 32, 0, stream>>>();
  return run(Q, K, V, O, shape, stream);
}
