// A correct FlashAttention-1 forward, one block for each head and one warp for each query, and a
// seam wherever a kernel of the corpus goes wrong.
//
// A file of the corpus derives a policy from Correct, overrides the one function that holds its
// bug, and ends with CORPUS_ENTRY(policy). What is not a matter of one function replaces the
// kernel.
#pragma once

#include <flashlab/lab3.h>

#include <cmath>

namespace corpus {

using flashlab::AttentionShape;
using flashlab::Workspace;

struct Correct {
  static constexpr int kWarps = 4;
  static constexpr int kPadding = 1;  // floats behind each row of the tile K
  /// Keys and queries of a tile; keys a multiple of 32.
  template <int d>
  static constexpr int kBc = 4096 / d;
  template <int d>
  static constexpr int kBr = 16;

  /// Multiplies Q K^T.
  static __device__ float scale(AttentionShape shape) { return shape.scale; }
  /// How many keys and queries the loops over tiles go through.
  static __device__ int keys(AttentionShape shape) { return shape.seq_k; }
  static __device__ int queries(AttentionShape shape) { return shape.seq_q; }
  /// Whether key j exists.
  static __device__ bool exists(int j, AttentionShape shape) { return j < shape.seq_k; }
  /// Whose K and V the head bh = b * H + h reads.
  static __device__ int kv_head(int bh, AttentionShape) { return bh; }
  /// Applied to every element of Q, K, V and P before it is multiplied.
  static __device__ float operand(float x) { return x; }
  /// What the running maximum of a row starts from.
  static __device__ float maximum_start() { return -INFINITY; }
  /// What is taken off the scores when the running maximum is m.
  static __device__ float shift(float m) { return m; }
  /// exp of a score minus the maximum.
  static __device__ float exponential(float x) { return expf(x); }
  /// The new l from alpha = exp(m_old - m), the old l and the tile's sum.
  static __device__ float new_l(float alpha, float l_old, float sum) { return alpha * l_old + sum; }
  /// The new O from the old one and the tile's P V.
  static __device__ float new_o(float o_old, float pv, float alpha, float l_old, float l) {
    return (alpha * l_old * o_old + pv) / l;
  }
  /// What the rows of V beyond the last hold.
  static __device__ float padding_of_v() { return 0.0f; }
  /// The element of a tile of `rows` rows of d floats that thread t of n copies in a step.
  static __device__ int element(int step, int t, int n, int /*rows*/, int /*d*/) {
    return step * n + t;
  }
  /// Behind the loads of the tiles, and before Q, and with it perhaps K and V, are loaded again.
  static __device__ void barrier_after_load() { __syncthreads(); }
  static __device__ void barrier_before_load() { __syncthreads(); }
  /// Where m and l of a query go.
  static __device__ void store_state(float* m, float* l, float m_new, float l_new) {
    *m = m_new;
    *l = l_new;
  }
};

/// Copies `rows` rows from `first` on of a matrix [N, d] into a tile, by the whole block.
template <class Policy, int d>
__device__ void load(float* tile, int rows, int stride, const float* matrix, int first, int N,
                     float beyond) {
  for (int step = 0; step * static_cast<int>(blockDim.x) < rows * d; ++step) {
    const int e = Policy::element(step, threadIdx.x, blockDim.x, rows, d);
    if (e >= rows * d) continue;
    const int row = e / d, c = e % d;
    tile[row * stride + c] =
        first + row < N ? matrix[static_cast<size_t>(first + row) * d + c] : beyond;
  }
}

/// Grid B H, block 32 * kWarps.
template <class Policy, int d>
__global__ void attention_kernel(const float* Q, const float* K, const float* V, float* O, float* m,
                                 float* l, AttentionShape shape) {
  constexpr int Bc = Policy::template kBc<d>, Br = Policy::template kBr<d>;
  constexpr int kStride = d + Policy::kPadding;
  __shared__ float k_tile[Bc * kStride], v_tile[Bc * d], q_tile[Br * d];
  const int bh = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int Nq = shape.seq_q, Nk = shape.seq_k;
  const size_t kv = static_cast<size_t>(Policy::kv_head(bh, shape)) * Nk * d;
  const size_t state_row = static_cast<size_t>(bh) * Nq;
  Q += static_cast<size_t>(bh) * Nq * d;
  O += static_cast<size_t>(bh) * Nq * d;
  for (int first = 0; first < Policy::keys(shape); first += Bc) {
    load<Policy, d>(k_tile, Bc, kStride, K + kv, first, Nk, 0.0f);
    load<Policy, d>(v_tile, Bc, d, V + kv, first, Nk, Policy::padding_of_v());
    for (int first_row = 0; first_row < Policy::queries(shape); first_row += Br) {
      load<Policy, d>(q_tile, Br, d, Q, first_row, Nq, 0.0f);
      Policy::barrier_after_load();
      for (int r = warp; r < min(Br, Nq - first_row); r += Policy::kWarps) {
        const int i = first_row + r;
        const float m_old = first == 0 ? Policy::maximum_start() : m[state_row + i];
        const float l_old = first == 0 ? 0.0f : l[state_row + i];
        float s[Bc / 32], m_new = -INFINITY, sum = 0.0f;
        for (int x = 0; x < Bc / 32; ++x) {
          const int j = x * 32 + lane;
          float dot = 0.0f;
          for (int c = 0; c < d; ++c) {
            dot += Policy::operand(q_tile[r * d + c]) * Policy::operand(k_tile[j * kStride + c]);
          }
          s[x] = Policy::exists(first + j, shape) ? dot * Policy::scale(shape) : -INFINITY;
          m_new = fmaxf(m_new, s[x]);
        }
        for (int step = 16; step > 0; step /= 2) {
          m_new = fmaxf(m_new, __shfl_xor_sync(0xffffffffu, m_new, step));
        }
        m_new = fmaxf(m_new, m_old);
        for (float& p : s) {
          p = Policy::exponential(p - Policy::shift(m_new));
          sum += p;
        }
        for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
        const float alpha = Policy::exponential(Policy::shift(m_old) - Policy::shift(m_new));
        const float l_new = Policy::new_l(alpha, l_old, sum);
        float pv[d / 32] = {};
#pragma unroll
        for (int x = 0; x < Bc / 32; ++x) {
          for (int j = 0; j < 32; ++j) {
            const float p = Policy::operand(__shfl_sync(0xffffffffu, s[x], j));
            for (int y = 0; y < d / 32; ++y) {
              pv[y] += p * Policy::operand(v_tile[(x * 32 + j) * d + y * 32 + lane]);
            }
          }
        }
        for (int y = 0; y < d / 32; ++y) {
          float& o = O[static_cast<size_t>(i) * d + y * 32 + lane];
          o = Policy::new_o(first == 0 ? 0.0f : o, pv[y], alpha, l_old, l_new);
        }
        if (lane == 0) Policy::store_state(&m[state_row + i], &l[state_row + i], m_new, l_new);
      }
      Policy::barrier_before_load();
    }
  }
}

template <class Policy>
cudaError_t attention(const float* Q, const float* K, const float* V, float* O,
                      AttentionShape shape, Workspace& workspace, cudaStream_t stream) {
  const int heads = shape.batch * shape.heads, threads = 32 * Policy::kWarps;
  float* m = workspace.allocate<float>("m", static_cast<size_t>(heads) * shape.seq_q);
  float* l = workspace.allocate<float>("l", static_cast<size_t>(heads) * shape.seq_q);
  if (m == nullptr || l == nullptr) return cudaErrorMemoryAllocation;
  const auto kernel = shape.head_dim == 32   ? attention_kernel<Policy, 32>
                      : shape.head_dim == 64 ? attention_kernel<Policy, 64>
                                             : attention_kernel<Policy, 128>;
  kernel<<<heads, threads, 0, stream>>>(Q, K, V, O, m, l, shape);
  return cudaGetLastError();
}

}  // namespace corpus

/// The head of the entry point, for the files that bring their own body.
#define CORPUS_ENTRY_HEAD                                                                          \
  cudaError_t lab3_tiled_attention(const float* Q, const float* K, const float* V, float* O,       \
                                   flashlab::AttentionShape shape, flashlab::Workspace& workspace, \
                                   cudaStream_t stream)

/// The whole entry point, for the files that bring a policy.
#define CORPUS_ENTRY(Policy)                                                \
  CORPUS_ENTRY_HEAD {                                                       \
    return corpus::attention<Policy>(Q, K, V, O, shape, workspace, stream); \
  }
