// Blocks of 9 x 5 = 45 threads, and grid-stride loops with fewer blocks than work.
#include "base.cuh"

__global__ void scores_odd(const float* Q, const float* K, float* S, corpus::AttentionShape shape) {
  const int d = shape.head_dim, rows = shape.batch * shape.heads * shape.seq_q;
  for (int row = blockIdx.y * blockDim.y + threadIdx.y; row < rows; row += gridDim.y * blockDim.y) {
    const float* q = Q + static_cast<size_t>(row) * d;
    const float* k = K + static_cast<size_t>(row / shape.seq_q) * shape.seq_k * d;
    for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < shape.seq_k;
         j += gridDim.x * blockDim.x) {
      float dot = 0.0f;
      for (int c = 0; c < d; ++c) dot += q[c] * k[static_cast<size_t>(j) * d + c];
      S[static_cast<size_t>(row) * shape.seq_k + j] = dot * shape.scale;
    }
  }
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  scores_odd<<<dim3(3, 7), dim3(9, 5), 0, stream>>>(Q, K, S, shape);
  softmax<Correct><<<row_grid(shape), kThreads, 0, stream>>>(S, P, shape);
  weighted_sum<Correct><<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}
