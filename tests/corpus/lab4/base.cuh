// A correct FlashAttention-2 forward with one thread for each query, and a seam wherever a kernel
// of the corpus goes wrong.
//
// A file of the corpus derives a policy from Correct, overrides the one function that holds its
// bug, and ends with CORPUS_ENTRY(policy). What is not a matter of one function replaces the
// kernel.
#pragma once

#include <flashlab/lab4.h>

#include <cmath>

namespace corpus {

using flashlab::AttentionShape;
using flashlab::Workspace;

struct Correct {
  static constexpr int kBr = 64, kBc = 32;  // queries and keys of a tile

  /// Multiplies Q K^T.
  static __device__ float scale(AttentionShape shape) { return shape.scale; }
  /// How many keys the loop over tiles goes through.
  static __device__ int keys(AttentionShape shape) { return shape.seq_k; }
  /// Whether key j exists.
  static __device__ bool exists(int j, AttentionShape shape) { return j < shape.seq_k; }
  /// The last key that query i sees under a causal mask.
  static __device__ int last_key(int i, AttentionShape shape) {
    return i + shape.seq_k - shape.seq_q;
  }
  /// The query of the block, first to last, that decides how many tiles of keys are read.
  static __device__ int deciding_query(int, int last) { return last; }
  /// The score of a key that is masked or does not exist.
  static __device__ float masked_score() { return -INFINITY; }
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
  /// What l and o are multiplied by when the maximum grew, alpha = exp(m_old - m_new).
  static __device__ float rescale_l(float alpha) { return alpha; }
  static __device__ float rescale_o(float alpha) { return alpha; }
  /// Whether the state of a row without a key so far is left as it is.
  static __device__ bool skips_empty() { return true; }
  /// One over the sum, 0 for a row without keys.
  static __device__ float inverse(float l) { return l > 0.0f ? 1.0f / l : 0.0f; }
  /// The log-sum-exp.
  static __device__ float log_sum_exp(float m, float l, AttentionShape) { return m + logf(l); }
  /// Copies rows first, first + 1, ... of a matrix [N, d] into a tile; rows beyond N become zeros.
  template <int d>
  static __device__ void load(float (*tile)[d], int rows, const float* matrix, int first, int N) {
    for (int e = threadIdx.x; e < rows * d; e += blockDim.x) {
      const int j = first + e / d;
      tile[e / d][e % d] = j < N ? matrix[static_cast<size_t>(j) * d + e % d] : 0.0f;
    }
  }
  /// Behind the loads of a tile, and before the next ones.
  static __device__ void barrier_after_load() { __syncthreads(); }
  static __device__ void barrier_before_load() { __syncthreads(); }
  /// Writes L of row `row` = bh * Nq + i.
  static __device__ void store_log_sum_exp(float* L, size_t row, float value) { L[row] = value; }
};

/// The online softmax of one query.
template <int d>
struct State {
  float m, l, o[d];
};

/// Merges the keys first to end - 1 into the state of query i of head bh, by the whole block: every
/// thread has a query of its own, and all walk over the same tiles.
template <class Policy, int d>
__device__ void over_keys(State<d>& state, const float* Q, const float* K, const float* V, int i,
                          int bh, int first, int end, AttentionShape shape) {
  constexpr int Br = Policy::kBr, Bc = Policy::kBc;
  __shared__ __align__(16) float k_tile[Bc][d], v_tile[Bc][d];
  __shared__ float scores[Br][Bc + 1];
  const float* row = Q + (static_cast<size_t>(bh) * shape.seq_q + i) * d;
  const size_t kv = static_cast<size_t>(Policy::kv_head(bh, shape)) * shape.seq_k * d;
  float q[d];
#pragma unroll
  for (int c = 0; c < d; ++c) q[c] = Policy::operand(row[c]);
  for (; first < end; first += Bc) {
    Policy::barrier_before_load();
    Policy::template load<d>(k_tile, Bc, K + kv, first, shape.seq_k);
    Policy::template load<d>(v_tile, Bc, V + kv, first, shape.seq_k);
    Policy::barrier_after_load();
    float m_new = state.m;
    for (int j = 0; j < Bc; ++j) {
      float dot = 0.0f;
#pragma unroll
      for (int c = 0; c < d; ++c) dot += q[c] * Policy::operand(k_tile[j][c]);
      const bool seen = Policy::exists(first + j, shape) &&
                        (!shape.causal || first + j <= Policy::last_key(i, shape));
      const float s = seen ? dot * Policy::scale(shape) : Policy::masked_score();
      scores[threadIdx.x][j] = s;
      m_new = fmaxf(m_new, s);
    }
    if (m_new == -INFINITY && Policy::skips_empty()) continue;
    const float alpha = Policy::exponential(Policy::shift(state.m) - Policy::shift(m_new));
    state.l *= Policy::rescale_l(alpha);
#pragma unroll
    for (int c = 0; c < d; ++c) state.o[c] *= Policy::rescale_o(alpha);
    for (int j = 0; j < Bc; ++j) {
      const float p = Policy::exponential(scores[threadIdx.x][j] - Policy::shift(m_new));
      state.l += p;
#pragma unroll
      for (int c = 0; c < d; ++c) {
        state.o[c] += Policy::operand(p) * Policy::operand(v_tile[j][c]);
      }
    }
    state.m = m_new;
  }
}

/// How many keys the block of the queries first to last walks over.
template <class Policy>
__device__ int keys_of_block(int first, int last, AttentionShape shape) {
  const int keys = Policy::keys(shape);
  if (!shape.causal) return keys;
  return min(keys, Policy::last_key(Policy::deciding_query(first, last), shape) + 1);
}

/// Grid (ceil(Nq / Br), H, B), block Br.
template <class Policy, int d>
__global__ void attention_kernel(const float* Q, const float* K, const float* V, float* O, float* L,
                                 AttentionShape shape) {
  const int Nq = shape.seq_q, bh = blockIdx.z * shape.heads + blockIdx.y;
  const int first_row = blockIdx.x * Policy::kBr, last_row = min(first_row + Policy::kBr, Nq) - 1;
  const int i = min(first_row + static_cast<int>(threadIdx.x), last_row);
  State<d> state = {Policy::maximum_start(), 0.0f, {}};
  over_keys<Policy>(state, Q, K, V, i, bh, 0, keys_of_block<Policy>(first_row, last_row, shape),
                    shape);
  if (first_row + threadIdx.x > last_row) return;
  const size_t row = static_cast<size_t>(bh) * Nq + i;
#pragma unroll
  for (int c = 0; c < d; ++c) O[row * d + c] = state.o[c] * Policy::inverse(state.l);
  Policy::store_log_sum_exp(L, row, Policy::log_sum_exp(state.m, state.l, shape));
}

template <class Policy>
cudaError_t attention(const float* Q, const float* K, const float* V, float* O, float* L,
                      AttentionShape shape, cudaStream_t stream) {
  const dim3 grid((shape.seq_q + Policy::kBr - 1) / Policy::kBr, shape.heads, shape.batch);
  const auto kernel = shape.head_dim == 32   ? attention_kernel<Policy, 32>
                      : shape.head_dim == 64 ? attention_kernel<Policy, 64>
                                             : attention_kernel<Policy, 128>;
  kernel<<<grid, Policy::kBr, 0, stream>>>(Q, K, V, O, L, shape);
  return cudaGetLastError();
}

}  // namespace corpus

/// The head of the entry point, for the files that bring their own body.
#define CORPUS_ENTRY_HEAD                                                                     \
  cudaError_t lab4_flash_attention2(const float* Q, const float* K, const float* V, float* O, \
                                    float* L, flashlab::AttentionShape shape,                 \
                                    [[maybe_unused]] flashlab::Workspace& workspace,          \
                                    cudaStream_t stream)

/// The whole entry point, for the files that bring a policy.
#define CORPUS_ENTRY(Policy)                                        \
  CORPUS_ENTRY_HEAD {                                               \
    return corpus::attention<Policy>(Q, K, V, O, L, shape, stream); \
  }
