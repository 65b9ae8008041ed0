// honest: assembly in device code.
#include "kernel.cuh"

__device__ unsigned lane() {
  unsigned id;
  asm volatile("mov.u32 %0, %%laneid;" : "=r"(id));
  return id;
}
__global__ void lanes() {
  if (lane() > 31) __trap();
}

ENTRY {
  lanes<<<1, 32, 0, stream>>>();
  return run(Q, K, V, O, shape, stream);
}
