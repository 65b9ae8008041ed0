// Takes the softmax down the columns of S: over the queries of a key.
#include "base.cuh"

__global__ void column_softmax(const float* S, float* P, corpus::AttentionShape shape) {
  const int j = blockIdx.x * blockDim.x + threadIdx.x;
  if (j >= shape.seq_k) return;
  const size_t first = static_cast<size_t>(blockIdx.y) * shape.seq_q * shape.seq_k + j;
  float m = -INFINITY, l = 0.0f;
  for (int i = 0; i < shape.seq_q; ++i) m = fmaxf(m, S[first + i * shape.seq_k]);
  for (int i = 0; i < shape.seq_q; ++i) l += expf(S[first + i * shape.seq_k] - m);
  for (int i = 0; i < shape.seq_q; ++i) {
    P[first + i * shape.seq_k] = expf(S[first + i * shape.seq_k] - m) / l;
  }
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  const dim3 columns((shape.seq_k + 127) / 128, shape.batch * shape.heads);
  scores<Correct><<<score_grid(shape), kThreads, 0, stream>>>(Q, K, S, shape);
  column_softmax<<<columns, 128, 0, stream>>>(S, P, shape);
  weighted_sum<Correct><<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}
