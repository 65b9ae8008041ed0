// One thread for each query: its rows of Q and O are read by that thread alone, so a warp touches
// 32 rows at once and moves many sectors.
#include "base.cuh"

template <int d>
__global__ void thread_per_query(const float* Q, const float* K, const float* V, float* O, float* m,
                                 float* l, corpus::AttentionShape shape) {
  constexpr int Bc = 4096 / d;
  __shared__ float k_tile[Bc][d], v_tile[Bc][d];
  const int Nq = shape.seq_q, Nk = shape.seq_k;
  const size_t kv = static_cast<size_t>(blockIdx.x) * Nk * d;
  for (int first = 0; first < Nk; first += Bc) {
    __syncthreads();
    for (int e = threadIdx.x; e < Bc * d; e += blockDim.x) {
      const bool inside = first + e / d < Nk;
      k_tile[e / d][e % d] = inside ? K[kv + static_cast<size_t>(first) * d + e] : 0.0f;
      v_tile[e / d][e % d] = inside ? V[kv + static_cast<size_t>(first) * d + e] : 0.0f;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < Nq; i += blockDim.x) {
      const size_t row = static_cast<size_t>(blockIdx.x) * Nq + i;
      float q[d], o[d], m_row = first == 0 ? -INFINITY : m[row], l_row = first == 0 ? 0.0f : l[row];
#pragma unroll
      for (int c = 0; c < d; ++c) {
        q[c] = Q[row * d + c];
        o[c] = first == 0 ? 0.0f : O[row * d + c] * l_row;
      }
      for (int j = 0; j < min(Bc, Nk - first); ++j) {
        float s = 0.0f;
#pragma unroll
        for (int c = 0; c < d; ++c) s += q[c] * k_tile[j][c];
        s *= shape.scale;
        const float m_new = fmaxf(m_row, s), alpha = expf(m_row - m_new), p = expf(s - m_new);
        l_row = alpha * l_row + p;
#pragma unroll
        for (int c = 0; c < d; ++c) o[c] = alpha * o[c] + p * v_tile[j][c];
        m_row = m_new;
      }
#pragma unroll
      for (int c = 0; c < d; ++c) O[row * d + c] = o[c] / l_row;
      m[row] = m_row;
      l[row] = l_row;
    }
  }
}

CORPUS_ENTRY_HEAD {
  const int heads = shape.batch * shape.heads, d = shape.head_dim;
  float* m = workspace.allocate<float>("m", static_cast<size_t>(heads) * shape.seq_q);
  float* l = workspace.allocate<float>("l", static_cast<size_t>(heads) * shape.seq_q);
  if (m == nullptr || l == nullptr) return cudaErrorMemoryAllocation;
  const auto kernel = d == 32   ? thread_per_query<32>
                      : d == 64 ? thread_per_query<64>
                                : thread_per_query<128>;
  kernel<<<heads, 64, 0, stream>>>(Q, K, V, O, m, l, shape);
  return cudaGetLastError();
}
