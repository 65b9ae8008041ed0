// H4: takes all memory of the device.
#include "kernel.cuh"

ENTRY {
  void* memory;
  while (cudaMalloc(&memory, 256u << 20) == cudaSuccess) {
  }
  return cudaErrorMemoryAllocation;
}
