// Stages rows in shared memory, rounded up to 32 keys, and sums the padding that nobody wrote.
#include "base.cuh"

__global__ void staged_softmax(const float* S, float* P, corpus::AttentionShape shape) {
  extern __shared__ float e[];
  const int Nk = shape.seq_k, padded = (Nk + 31) / 32 * 32;
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + blockIdx.x;
  float m = -INFINITY, l = 0.0f;
  for (int j = threadIdx.x; j < Nk; j += corpus::kThreads) m = fmaxf(m, S[row * Nk + j]);
  m = corpus::over_block<corpus::Correct>(m, corpus::Larger{});
  for (int j = threadIdx.x; j < Nk; j += corpus::kThreads) e[j] = expf(S[row * Nk + j] - m);
  for (int j = threadIdx.x; j < padded; j += corpus::kThreads) l += e[j];
  l = corpus::over_block<corpus::Correct>(l, corpus::Plus{});
  for (int j = threadIdx.x; j < Nk; j += corpus::kThreads) P[row * Nk + j] = e[j] / l;
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  const size_t bytes = (shape.seq_k + 31) / 32 * 32 * sizeof(float);
  scores<Correct><<<score_grid(shape), kThreads, 0, stream>>>(Q, K, S, shape);
  staged_softmax<<<row_grid(shape), kThreads, bytes, stream>>>(S, P, shape);
  weighted_sum<Correct><<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}
