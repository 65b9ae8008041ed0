// Finds the maximum and the sum of a row in one pass, rescaling the sum when the maximum grows.
#include "base.cuh"

__global__ void online_softmax(const float* S, float* P, corpus::AttentionShape shape) {
  using namespace corpus;
  const int Nk = shape.seq_k;
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + blockIdx.x;
  float m = -INFINITY, l = 0.0f;
  for (int j = threadIdx.x; j < Nk; j += kThreads) {
    const float s = S[row * Nk + j], larger = fmaxf(m, s);
    l = l * expf(m - larger) + expf(s - larger);
    m = larger;
  }
  const float m_row = over_block<Correct>(m, Larger{});
  l = over_block<Correct>(l * expf(m - m_row), Plus{});
  for (int j = threadIdx.x; j < Nk; j += kThreads)
    P[row * Nk + j] = expf(S[row * Nk + j] - m_row) / l;
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  scores<Correct><<<score_grid(shape), kThreads, 0, stream>>>(Q, K, S, shape);
  online_softmax<<<row_grid(shape), kThreads, 0, stream>>>(S, P, shape);
  weighted_sum<Correct><<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}
