// Right, but reads both products by columns: lanes run along the rows of S and of O.
#include "base.cuh"

__global__ void scores_by_columns(const float* Q, const float* K, float* S,
                                  corpus::AttentionShape shape) {
  const int i = blockIdx.x * 32 + threadIdx.x, j = blockIdx.y, bh = blockIdx.z;
  const int d = shape.head_dim;
  if (i >= shape.seq_q) return;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  float dot = 0.0f;
  for (int c = 0; c < d; ++c) dot += Q[row * d + c] * K[(size_t(bh) * shape.seq_k + j) * d + c];
  S[row * shape.seq_k + j] = dot * shape.scale;
}

__global__ void weighted_sum_by_columns(const float* P, const float* V, float* O,
                                        corpus::AttentionShape shape) {
  const int i = blockIdx.x * 32 + threadIdx.x, c = blockIdx.y, bh = blockIdx.z;
  if (i >= shape.seq_q) return;
  const int d = shape.head_dim;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  float o = 0.0f;
  for (int j = 0; j < shape.seq_k; ++j) {
    o += P[row * shape.seq_k + j] * V[(size_t(bh) * shape.seq_k + j) * d + c];
  }
  O[row * d + c] = o;
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  const int warps = (shape.seq_q + 31) / 32, BH = shape.batch * shape.heads;
  scores_by_columns<<<dim3(warps, shape.seq_k, BH), 32, 0, stream>>>(Q, K, S, shape);
  softmax<Correct><<<row_grid(shape), kThreads, 0, stream>>>(S, S, shape);
  weighted_sum_by_columns<<<dim3(warps, shape.head_dim, BH), 32, 0, stream>>>(S, V, O, shape);
  return cudaGetLastError();
}
