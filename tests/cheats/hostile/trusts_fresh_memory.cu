// D3: takes memory from the workspace for zero.
#include "kernel.cuh"

__global__ void add(const float* x, float* y, size_t n) {
  const size_t i = blockIdx.x * size_t(kThreads) + threadIdx.x;
  if (i < n) y[i] += x[i];
}

ENTRY {
  float* sums = workspace.allocate<float>("sums", elements(shape));
  if (sums == nullptr) return cudaErrorMemoryAllocation;
  if (const cudaError_t error = run(Q, K, V, O, shape, stream)) return error;
  add<<<blocks(shape), kThreads, 0, stream>>>(sums, O, elements(shape));
  return cudaGetLastError();
}
