// Adds to sums in the workspace that it never set to zero.
#include "base.cuh"

__global__ void add_up(const float* P, const float* V, float* sums, float* O,
                       corpus::AttentionShape shape) {
  const int i = blockIdx.x, bh = blockIdx.y, c = threadIdx.x, d = shape.head_dim;
  if (c >= d) return;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  for (int j = 0; j < shape.seq_k; ++j) {
    sums[row * d + c] += P[row * shape.seq_k + j] * V[(size_t(bh) * shape.seq_k + j) * d + c];
  }
  O[row * d + c] = sums[row * d + c];
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* P = score_matrix(workspace, "P", shape);
  const size_t rows = static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q;
  float* sums = workspace.allocate<float>("sums", rows * shape.head_dim);
  scores<Correct><<<score_grid(shape), kThreads, 0, stream>>>(Q, K, P, shape);
  softmax<Correct><<<row_grid(shape), kThreads, 0, stream>>>(P, P, shape);
  add_up<<<row_grid(shape), kThreads, 0, stream>>>(P, V, sums, O, shape);
  return cudaGetLastError();
}
