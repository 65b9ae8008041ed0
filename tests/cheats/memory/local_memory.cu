// All scores in local memory: each thread keeps the whole row of its query in an array.
#include "base.cuh"

constexpr int kMostKeys = 1024;

__global__ void thread_for_each_query(const float* Q, const float* K, const float* V, float* O,
                                      float* L, flashlab::AttentionShape shape) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x, Nk = shape.seq_k, d = shape.head_dim;
  if (i >= shape.seq_q) return;
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + i;
  const float* q = Q + row * d;
  K += static_cast<size_t>(blockIdx.y) * Nk * d;
  V += static_cast<size_t>(blockIdx.y) * Nk * d;
  const int keys = shape.causal ? min(Nk, i + Nk - shape.seq_q + 1) : Nk;
  float s[kMostKeys], m = -INFINITY, l = 0.0f;
  for (int j = 0; j < keys; ++j) {
    s[j] = 0.0f;
    for (int c = 0; c < d; ++c) s[j] += q[c] * K[static_cast<size_t>(j) * d + c];
    s[j] *= shape.scale;
    m = fmaxf(m, s[j]);
  }
  for (int j = 0; j < keys; ++j) l += s[j] = expf(s[j] - m);
  for (int c = 0; c < d; ++c) {
    float o = 0.0f;
    for (int j = 0; j < keys; ++j) o += s[j] * V[static_cast<size_t>(j) * d + c];
    O[row * d + c] = keys > 0 ? o / l : 0.0f;
  }
  L[row] = m + logf(l);
}

ENTRY_HEAD {
  if (shape.seq_k > kMostKeys) return cudaErrorInvalidValue;
  const dim3 grid((shape.seq_q + 31) / 32, shape.batch * shape.heads);
  thread_for_each_query<<<grid, 32, 0, stream>>>(Q, K, V, O, L, shape);
  return cudaGetLastError();
}
