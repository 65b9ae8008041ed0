// Attention in the naive way, with all scores in memory at once: what the programs of this folder
// hide, each in another place. They are right in everything else.
#pragma once

#include <flashlab/lab4.h>

#include <cmath>

namespace naive {

using flashlab::AttentionShape;

constexpr int kThreads = 128;

/// How many scores there are.
inline size_t scores_of(AttentionShape shape) {
  return static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q * shape.seq_k;
}

/// S = scale * Q K^T of the queries from `first` on; S [B H, gridDim.y, Nk].
/// Grid (ceil(Nk / 128), queries, B H): one thread for each score.
template <class T>
__global__ void compute_scores(const float* Q, const float* K, T* S, int first,
                               AttentionShape shape) {
  const int j = blockIdx.x * kThreads + threadIdx.x, i = first + blockIdx.y;
  if (j >= shape.seq_k) return;
  const float* q = Q + (static_cast<size_t>(blockIdx.z) * shape.seq_q + i) * shape.head_dim;
  const float* k = K + (static_cast<size_t>(blockIdx.z) * shape.seq_k + j) * shape.head_dim;
  float dot = 0.0f;
  for (int c = 0; c < shape.head_dim; ++c) dot += q[c] * k[c];
  const bool sees = !shape.causal || j <= i + shape.seq_k - shape.seq_q;
  const size_t row = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  S[row * shape.seq_k + j] = static_cast<T>(sees ? dot * shape.scale : -INFINITY);
}

/// O and L from the scores. Grid (queries, B H), block of 128: one thread for each column of O.
template <class T>
__global__ void use_scores(const T* S, const float* V, float* O, float* L, int first,
                           AttentionShape shape) {
  const int i = first + blockIdx.x, c = threadIdx.x;
  if (c >= shape.head_dim) return;
  const T* s = S + (static_cast<size_t>(blockIdx.y) * gridDim.x + blockIdx.x) * shape.seq_k;
  const float* v = V + static_cast<size_t>(blockIdx.y) * shape.seq_k * shape.head_dim;
  float m = -INFINITY, l = 0.0f, o = 0.0f;
  for (int j = 0; j < shape.seq_k; ++j) m = fmaxf(m, static_cast<float>(s[j]));
  for (int j = 0; j < shape.seq_k && m > -INFINITY; ++j) {
    const float p = expf(static_cast<float>(s[j]) - m);
    l += p;
    o += p * v[static_cast<size_t>(j) * shape.head_dim + c];
  }
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + i;
  O[row * shape.head_dim + c] = l > 0.0f ? o / l : 0.0f;
  if (c == 0) L[row] = m + logf(l);
}

/// The queries first to first + queries - 1, by way of their scores in `S`.
template <class T>
cudaError_t attention(const float* Q, const float* K, const float* V, float* O, float* L, T* S,
                      int first, int queries, AttentionShape shape, cudaStream_t stream) {
  if (S == nullptr) return cudaErrorMemoryAllocation;
  const int heads = shape.batch * shape.heads;
  const dim3 grid((shape.seq_k + kThreads - 1) / kThreads, queries, heads);
  compute_scores<<<grid, kThreads, 0, stream>>>(Q, K, S, first, shape);
  use_scores<<<dim3(queries, heads), kThreads, 0, stream>>>(S, V, O, L, first, shape);
  return cudaGetLastError();
}

/// All queries at once.
template <class T>
cudaError_t attention(const float* Q, const float* K, const float* V, float* O, float* L, T* S,
                      AttentionShape shape, cudaStream_t stream) {
  return attention(Q, K, V, O, L, S, 0, shape.seq_q, shape, stream);
}

}  // namespace naive

/// The head of the entry point.
#define ENTRY_HEAD                                                                            \
  cudaError_t lab4_flash_attention2(const float* Q, const float* K, const float* V, float* O, \
                                    float* L, flashlab::AttentionShape shape,                 \
                                    [[maybe_unused]] flashlab::Workspace& workspace,          \
                                    cudaStream_t stream)
