// Scratch in an input: Q becomes scale * Q, so that this need not be kept anywhere.
#include "base.cuh"

__global__ void scale_in_place(float* Q, size_t elements, float scale) {
  const size_t e = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (e < elements) Q[e] *= scale;
}

ENTRY_HEAD {
  const size_t rows = static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q;
  const size_t elements = rows * shape.head_dim;
  scale_in_place<<<(elements + 255) / 256, 256, 0, stream>>>(const_cast<float*>(Q), elements,
                                                             shape.scale);
  shape.scale = 1.0f;
  float* S = workspace.allocate<float>("a query's S", shape.seq_k);
  if (S == nullptr || shape.batch * shape.heads > 1) return cudaErrorMemoryAllocation;
  cudaError_t status = cudaSuccess;
  for (int i = 0; i < shape.seq_q && status == cudaSuccess; ++i)
    status = naive::attention(Q, K, V, O, L, S, i, 1, shape, stream);
  return status;
}
