// E7: computes with half precision.
#include <cuda_fp16.h>
#include "kernel.cuh"

__global__ void round(const float* x, float* y, size_t n) {
  const size_t i = blockIdx.x * size_t(kThreads) + threadIdx.x;
  if (i < n) y[i] = __half2float(__float2half(x[i]));
}

ENTRY {
  round<<<blocks(shape), kThreads, 0, stream>>>(Q, workspace.allocate<float>("q", elements(shape)),
                                                elements(shape));
  float* q = workspace.allocate<float>("half", elements(shape));
  round<<<blocks(shape), kThreads, 0, stream>>>(Q, q, elements(shape));
  return run(q, K, V, O, shape, stream);
}
