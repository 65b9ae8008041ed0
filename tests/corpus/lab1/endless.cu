// Waits in the kernel for a flag that nobody sets.
#include "base.cuh"

__global__ void wait_for(const volatile float* flag) {
  while (*flag != 1.0e9f) {
  }
}

CORPUS_ENTRY_HEAD {
  wait_for<<<1, 32, 0, stream>>>(Q);
  return corpus::attention<corpus::Correct>(Q, K, V, O, shape, workspace, stream);
}
