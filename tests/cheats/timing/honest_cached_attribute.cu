// Sets an attribute of its kernel in the first call only: a state that has nothing to do with the
// inputs.
#include "honest.cuh"

__global__ void touch() {
  extern __shared__ float scratch[];
  scratch[threadIdx.x] = 0;
}

CHEAT_ENTRY {
  static const cudaError_t prepared =
      cudaFuncSetAttribute(touch, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 * 1024);
  if (prepared != cudaSuccess) return prepared;
  return honest_work(a, stream);
}
