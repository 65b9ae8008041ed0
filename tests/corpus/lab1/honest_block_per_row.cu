// One kernel, one block per row: scores, softmax and sum behind one another, P in the workspace.
#include "base.cuh"

__global__ void row_attention(const float* Q, const float* K, const float* V, float* P, float* O,
                              corpus::AttentionShape shape) {
  using namespace corpus;
  const int Nk = shape.seq_k, d = shape.head_dim;
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + blockIdx.x;
  const float* q = Q + row * d;
  const float* k = K + static_cast<size_t>(blockIdx.y) * Nk * d;
  const float* v = V + static_cast<size_t>(blockIdx.y) * Nk * d;
  float* p = P + row * Nk;
  float m = -INFINITY, l = 0.0f;
  for (int j = threadIdx.x; j < Nk; j += kThreads) {
    float dot = 0.0f;
    for (int c = 0; c < d; ++c) dot += q[c] * k[static_cast<size_t>(j) * d + c];
    p[j] = dot * shape.scale;
    m = fmaxf(m, p[j]);
  }
  m = over_block<Correct>(m, Larger{});
  for (int j = threadIdx.x; j < Nk; j += kThreads) l += p[j] = expf(p[j] - m);
  l = over_block<Correct>(l, Plus{});  // its barriers also make every p visible to the block
  const int c = threadIdx.x;
  if (c >= d) return;
  float o = 0.0f;
  for (int j = 0; j < Nk; ++j) o += p[j] * v[static_cast<size_t>(j) * d + c];
  O[row * d + c] = o / l;
}

CORPUS_ENTRY_HEAD {
  float* P = corpus::score_matrix(workspace, "P", shape);
  if (P == nullptr) return cudaErrorMemoryAllocation;
  row_attention<<<corpus::row_grid(shape), corpus::kThreads, 0, stream>>>(Q, K, V, P, O, shape);
  return cudaGetLastError();
}
