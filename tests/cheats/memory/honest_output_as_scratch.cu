// O holds sums that are not divided yet, and L their divisors, between two kernels: outputs are the
// submission's own until it returns.
#include "base.cuh"

using flashlab::AttentionShape;

/// A block for each query, a thread for each column: the online softmax, without the division.
__global__ void sums(const float* Q, const float* K, const float* V, float* O, float* L,
                     float* m_of, AttentionShape shape) {
  const int i = blockIdx.x, c = threadIdx.x, Nk = shape.seq_k, d = shape.head_dim;
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + i;
  K += static_cast<size_t>(blockIdx.y) * Nk * d;
  V += static_cast<size_t>(blockIdx.y) * Nk * d;
  const int keys = shape.causal ? min(Nk, i + Nk - shape.seq_q + 1) : Nk;
  float m = -INFINITY, l = 0.0f, o = 0.0f;
  for (int j = 0; j < keys; ++j) {
    float s = 0.0f;
    for (int x = 0; x < d; ++x) s += Q[row * d + x] * K[static_cast<size_t>(j) * d + x];
    s *= shape.scale;
    const float m_new = fmaxf(m, s), alpha = expf(m - m_new), p = expf(s - m_new);
    l = alpha * l + p;
    o = alpha * o + p * V[static_cast<size_t>(j) * d + c];
    m = m_new;
  }
  O[row * d + c] = o;
  if (c == 0) L[row] = l;
  if (c == 0) m_of[row] = m;
}

/// A block for each query: divides O, and makes L of what it holds.
__global__ void divide(float* O, float* L, const float* m_of, int d) {
  const size_t row = blockIdx.x;
  const float l = L[row];
  __syncthreads();  // everybody has read the divisor
  O[row * d + threadIdx.x] = l > 0.0f ? O[row * d + threadIdx.x] / l : 0.0f;
  if (threadIdx.x == 0) L[row] = m_of[row] + logf(l);
}

ENTRY_HEAD {
  const int heads = shape.batch * shape.heads;
  float* m = workspace.allocate<float>("m", static_cast<size_t>(heads) * shape.seq_q);
  if (m == nullptr) return cudaErrorMemoryAllocation;
  sums<<<dim3(shape.seq_q, heads), shape.head_dim, 0, stream>>>(Q, K, V, O, L, m, shape);
  divide<<<heads * shape.seq_q, shape.head_dim, 0, stream>>>(O, L, m, shape.head_dim);
  return cudaGetLastError();
}
