// Copies V to O.
#include "base.cuh"

__global__ void copy(const float* V, float* O, corpus::AttentionShape shape) {
  const int i = blockIdx.x, bh = blockIdx.y, c = threadIdx.x, d = shape.head_dim;
  if (c >= d) return;
  const int j = i % shape.seq_k;
  O[(static_cast<size_t>(bh) * shape.seq_q + i) * d + c] =
      V[(static_cast<size_t>(bh) * shape.seq_k + j) * d + c];
}

CORPUS_ENTRY_HEAD {
  copy<<<corpus::row_grid(shape), corpus::kThreads, 0, stream>>>(V, O, shape);
  return cudaGetLastError();
}
