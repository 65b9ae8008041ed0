// Accumulates every sum in double.
#include "base.cuh"

__global__ void scores_in_double(const float* Q, const float* K, float* S,
                                 corpus::AttentionShape shape) {
  const int j = blockIdx.x * corpus::kThreads + threadIdx.x, i = blockIdx.y, bh = blockIdx.z;
  if (j >= shape.seq_k) return;
  const int d = shape.head_dim;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  double dot = 0.0;
  for (int c = 0; c < d; ++c) {
    dot += static_cast<double>(Q[row * d + c]) * K[(size_t(bh) * shape.seq_k + j) * d + c];
  }
  S[row * shape.seq_k + j] = static_cast<float>(dot * shape.scale);
}

__global__ void weighted_sum_in_double(const float* P, const float* V, float* O,
                                       corpus::AttentionShape shape) {
  const int i = blockIdx.x, bh = blockIdx.y, c = threadIdx.x, d = shape.head_dim;
  if (c >= d) return;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  double o = 0.0;
  for (int j = 0; j < shape.seq_k; ++j) {
    o += static_cast<double>(P[row * shape.seq_k + j]) * V[(size_t(bh) * shape.seq_k + j) * d + c];
  }
  O[row * d + c] = static_cast<float>(o);
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  scores_in_double<<<score_grid(shape), kThreads, 0, stream>>>(Q, K, S, shape);
  softmax<Correct><<<row_grid(shape), kThreads, 0, stream>>>(S, P, shape);
  weighted_sum_in_double<<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}
