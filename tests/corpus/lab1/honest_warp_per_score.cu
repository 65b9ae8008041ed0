// One warp per score: lanes share a dot product, so rows of K are read coalesced.
#include "base.cuh"

__global__ void scores_by_warp(const float* Q, const float* K, float* S,
                               corpus::AttentionShape shape) {
  const int j = blockIdx.x, i = blockIdx.y, bh = blockIdx.z, d = shape.head_dim;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  const float* k = K + (static_cast<size_t>(bh) * shape.seq_k + j) * d;
  float dot = 0.0f;
  for (int c = threadIdx.x; c < d; c += 32) dot += Q[row * d + c] * k[c];
  for (int step = 16; step > 0; step /= 2) dot += __shfl_down_sync(0xffffffffu, dot, step);
  if (threadIdx.x == 0) S[row * shape.seq_k + j] = dot * shape.scale;
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  const dim3 all(shape.seq_k, shape.seq_q, shape.batch * shape.heads);
  scores_by_warp<<<all, 32, 0, stream>>>(Q, K, S, shape);
  softmax<Correct><<<row_grid(shape), kThreads, 0, stream>>>(S, P, shape);
  weighted_sum<Correct><<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}
