// One warp for each query, which reads its keys one by one from global memory: lanes share out d.
#include "base.cuh"

__global__ void warp_per_query(const float* Q, const float* K, const float* V, float* O, float* L,
                               corpus::AttentionShape shape) {
  const int i = blockIdx.x, bh = blockIdx.y, lane = threadIdx.x, d = shape.head_dim;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  const size_t kv = static_cast<size_t>(bh) * shape.seq_k * d;
  float m = -INFINITY, l = 0.0f, o[4] = {};
  const int keys = shape.causal ? i + shape.seq_k - shape.seq_q + 1 : shape.seq_k;
  for (int j = 0; j < keys; ++j) {
    float s = 0.0f;
    for (int c = lane; c < d; c += 32) s += Q[row * d + c] * K[kv + static_cast<size_t>(j) * d + c];
    for (int step = 16; step > 0; step /= 2) s += __shfl_xor_sync(0xffffffffu, s, step);
    s *= shape.scale;
    const float m_new = fmaxf(m, s), alpha = expf(m - m_new), p = expf(s - m_new);
    l = alpha * l + p;
    for (int x = 0; x < d / 32; ++x) {
      o[x] = alpha * o[x] + p * V[kv + static_cast<size_t>(j) * d + x * 32 + lane];
    }
    m = m_new;
  }
  for (int x = 0; x < d / 32; ++x) O[row * d + x * 32 + lane] = l > 0.0f ? o[x] / l : 0.0f;
  if (lane == 0) L[row] = m + logf(l);
}

CORPUS_ENTRY_HEAD {
  const dim3 grid(shape.seq_q, shape.batch * shape.heads);
  warp_per_query<<<grid, 32, 0, stream>>>(Q, K, V, O, L, shape);
  return cudaGetLastError();
}
