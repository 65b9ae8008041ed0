// Reads Q and K sixteen bytes at a time where d allows it.
#include "base.cuh"

__global__ void scores_by_four(const float4* Q, const float4* K, float* S,
                               corpus::AttentionShape shape) {
  const int j = blockIdx.x * corpus::kThreads + threadIdx.x, i = blockIdx.y, bh = blockIdx.z;
  if (j >= shape.seq_k) return;
  const int quads = shape.head_dim / 4;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  const float4* q = Q + row * quads;
  const float4* k = K + (static_cast<size_t>(bh) * shape.seq_k + j) * quads;
  float dot = 0.0f;
  for (int c = 0; c < quads; ++c) {
    const float4 a = q[c], b = k[c];
    dot += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
  }
  S[row * shape.seq_k + j] = dot * shape.scale;
}

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  if (shape.head_dim % 4 != 0) {
    return attention<Correct>(Q, K, V, O, shape, workspace, stream);
  }
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  scores_by_four<<<score_grid(shape), kThreads, 0, stream>>>(
      reinterpret_cast<const float4*>(Q), reinterpret_cast<const float4*>(K), S, shape);
  softmax<Correct><<<row_grid(shape), kThreads, 0, stream>>>(S, P, shape);
  weighted_sum<Correct><<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}
