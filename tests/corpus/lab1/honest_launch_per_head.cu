// Launches each stage once per batch and head.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  AttentionShape one = shape;
  one.batch = one.heads = 1;
  for (int bh = 0; bh < shape.batch * shape.heads; ++bh) {
    const size_t q = static_cast<size_t>(bh) * shape.seq_q * shape.head_dim;
    const size_t k = static_cast<size_t>(bh) * shape.seq_k * shape.head_dim;
    const size_t s = static_cast<size_t>(bh) * shape.seq_q * shape.seq_k;
    scores<Correct><<<score_grid(one), kThreads, 0, stream>>>(Q + q, K + k, S + s, one);
    softmax<Correct><<<row_grid(one), kThreads, 0, stream>>>(S + s, P + s, one);
    weighted_sum<Correct><<<row_grid(one), kThreads, 0, stream>>>(P + s, V + k, O + q, one);
  }
  return cudaGetLastError();
}
