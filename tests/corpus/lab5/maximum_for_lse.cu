// Takes each row's largest score for L, so that P is not normalised.
#include "tiled.cuh"

/// One thread for each query.
__global__ void row_maximum(const float* Q, const float* K, float* M,
                            corpus::AttentionShape shape) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x, d = shape.head_dim;
  if (row >= shape.batch * shape.heads * shape.seq_q) return;
  const int i = row % shape.seq_q, bh = row / shape.seq_q;
  const int keys = shape.causal ? i + shape.seq_k - shape.seq_q + 1 : shape.seq_k;
  float m = -INFINITY;
  for (int j = 0; j < keys; ++j) {
    float s = 0.0f;
    for (int c = 0; c < d; ++c) {
      s += Q[static_cast<size_t>(row) * d + c] *
           K[(static_cast<size_t>(bh) * shape.seq_k + j) * d + c];
    }
    m = fmaxf(m, shape.scale * s);
  }
  M[row] = m;
}

CORPUS_ENTRY_HEAD {
  const int rows = shape.batch * shape.heads * shape.seq_q;
  const float* D = corpus::make_row_dot<corpus::Correct>(O, dO, shape, workspace, stream);
  float* M = workspace.allocate<float>("M", rows);
  if (D == nullptr || M == nullptr) return cudaErrorMemoryAllocation;
  row_maximum<<<(rows + 31) / 32, 32, 0, stream>>>(Q, K, M, shape);
  return corpus::gradients<corpus::Correct>({Q, K, V, M, D, dO}, dQ, dK, dV, shape, stream);
}
