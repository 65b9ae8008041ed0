// Returns the mean of V for every query.
#include "base.cuh"

__global__ void mean(const float* V, float* O, corpus::AttentionShape shape) {
  const int i = blockIdx.x, bh = blockIdx.y, c = threadIdx.x, d = shape.head_dim;
  if (c >= d) return;
  float sum = 0.0f;
  for (int j = 0; j < shape.seq_k; ++j)
    sum += V[(static_cast<size_t>(bh) * shape.seq_k + j) * d + c];
  O[(static_cast<size_t>(bh) * shape.seq_q + i) * d + c] = sum / shape.seq_k;
}

CORPUS_ENTRY_HEAD {
  mean<<<corpus::row_grid(shape), corpus::kThreads, 0, stream>>>(V, O, shape);
  return cudaGetLastError();
}
