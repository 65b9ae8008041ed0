// A correct backward pass, one warp for each row of a gradient, and a seam wherever a kernel of the
// corpus goes wrong.
//
// A file of the corpus derives a policy from Correct, overrides the one function that holds its
// bug, and ends with CORPUS_ENTRY(policy). What is not a matter of one function replaces the
// entry point.
#pragma once

#include <flashlab/lab5.h>

#include <cmath>

namespace corpus {

using flashlab::AttentionShape;
using flashlab::Workspace;

constexpr int kWarp = 32, kRowsPerBlock = 8;

struct Correct {
  /// Multiplies Q K^T, and multiplies dS in dQ and dK.
  static __device__ float scale(AttentionShape shape) { return shape.scale; }
  static __device__ float scale_of_dq(AttentionShape shape) { return shape.scale; }
  static __device__ float scale_of_dk(AttentionShape shape) { return shape.scale; }
  /// Whether query i sees key j.
  static __device__ bool sees(int i, int j, AttentionShape shape) {
    return !shape.causal || j <= i + shape.seq_k - shape.seq_q;
  }
  /// P of a score and its query's L; `seen` is what the mask says.
  static __device__ float probability(float s, float l, bool seen) {
    return seen ? expf(s - l) : 0.0f;
  }
  /// dS of one pair.
  static __device__ float score_gradient(float p, float dp, float D, AttentionShape) {
    return p * (dp - D);
  }
  /// Of which head L and D are, and K and V.
  static __device__ int statistics_head(int bh, AttentionShape) { return bh; }
  static __device__ int kv_head(int bh, AttentionShape) { return bh; }
  /// How many queries and keys the sums run over.
  static __device__ int queries(AttentionShape shape) { return shape.seq_q; }
  static __device__ int keys(AttentionShape shape) { return shape.seq_k; }
  /// A sum before the term of row n is added.
  static __device__ float kept(float sum, int) { return sum; }
  /// Applied to every element before it is multiplied.
  static __device__ float operand(float x) { return x; }
  /// How many blocks of kRowsPerBlock rows there are.
  static int blocks(int rows) { return (rows + kRowsPerBlock - 1) / kRowsPerBlock; }
};

/// One row of a tensor [rows, d]; lane x holds columns x, x + 32, ...
template <int d>
struct Row {
  float at[d / kWarp];

  static __device__ Row load(const float* tensor, size_t row) {
    Row result;
    for (int c = 0; c < d / kWarp; ++c) result.at[c] = tensor[row * d + c * kWarp + threadIdx.x];
    return result;
  }
  __device__ void store(float* tensor, size_t row, float factor) const {
    for (int c = 0; c < d / kWarp; ++c) {
      tensor[row * d + c * kWarp + threadIdx.x] = factor * at[c];
    }
  }
  template <class Policy>
  __device__ void add(float factor, const Row& other, int n) {
    for (int c = 0; c < d / kWarp; ++c) {
      at[c] = Policy::kept(at[c], n) + Policy::operand(factor) * Policy::operand(other.at[c]);
    }
  }
};

template <class Policy, int d>
__device__ float dot(const Row<d>& a, const Row<d>& b) {
  float sum = 0.0f;
  for (int c = 0; c < d / kWarp; ++c) sum += Policy::operand(a.at[c]) * Policy::operand(b.at[c]);
  for (int step = kWarp / 2; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  return sum;
}

/// D = rowsum(dO o O). Grid ceil(rows / 8), block (32, 8), as all kernels here.
template <int d>
__global__ void row_dot(const float* dO, const float* O, float* D, int rows) {
  const int row = blockIdx.x * kRowsPerBlock + threadIdx.y;
  if (row >= rows) return;
  const float sum = dot<Correct>(Row<d>::load(dO, row), Row<d>::load(O, row));
  if (threadIdx.x == 0) D[row] = sum;
}

template <class Policy, int d>
__global__ void key_gradients(const float* Q, const float* K, const float* V, const float* L,
                              const float* D, const float* dO, float* dK, float* dV,
                              AttentionShape shape) {
  const int j = blockIdx.x * kRowsPerBlock + threadIdx.y, bh = blockIdx.y;
  if (j >= shape.seq_k) return;
  const size_t queries = static_cast<size_t>(bh) * shape.seq_q;
  const size_t statistics = static_cast<size_t>(Policy::statistics_head(bh, shape)) * shape.seq_q;
  const size_t key = static_cast<size_t>(Policy::kv_head(bh, shape)) * shape.seq_k + j;
  const Row<d> k = Row<d>::load(K, key), v = Row<d>::load(V, key);
  Row<d> dk = {}, dv = {};
  for (int i = 0; i < Policy::queries(shape); ++i) {
    const Row<d> q = Row<d>::load(Q, queries + i), d_o = Row<d>::load(dO, queries + i);
    const float s = Policy::scale(shape) * dot<Policy>(q, k), dp = dot<Policy>(d_o, v);
    const float p = Policy::probability(s, L[statistics + i], Policy::sees(i, j, shape));
    dv.template add<Policy>(p, d_o, i);
    dk.template add<Policy>(Policy::score_gradient(p, dp, D[statistics + i], shape), q, i);
  }
  dk.store(dK, static_cast<size_t>(bh) * shape.seq_k + j, Policy::scale_of_dk(shape));
  dv.store(dV, static_cast<size_t>(bh) * shape.seq_k + j, 1.0f);
}

template <class Policy, int d>
__global__ void query_gradients(const float* Q, const float* K, const float* V, const float* L,
                                const float* D, const float* dO, float* dQ, AttentionShape shape) {
  const int i = blockIdx.x * kRowsPerBlock + threadIdx.y, bh = blockIdx.y;
  if (i >= shape.seq_q) return;
  const size_t query = static_cast<size_t>(bh) * shape.seq_q + i;
  const size_t statistics = static_cast<size_t>(Policy::statistics_head(bh, shape)) * shape.seq_q;
  const size_t keys = static_cast<size_t>(Policy::kv_head(bh, shape)) * shape.seq_k;
  const Row<d> q = Row<d>::load(Q, query), d_o = Row<d>::load(dO, query);
  Row<d> dq = {};
  for (int j = 0; j < Policy::keys(shape); ++j) {
    const Row<d> k = Row<d>::load(K, keys + j), v = Row<d>::load(V, keys + j);
    const float s = Policy::scale(shape) * dot<Policy>(q, k), dp = dot<Policy>(d_o, v);
    const float p = Policy::probability(s, L[statistics + i], Policy::sees(i, j, shape));
    dq.template add<Policy>(Policy::score_gradient(p, dp, D[statistics + i], shape), k, j);
  }
  dq.store(dQ, query, Policy::scale_of_dq(shape));
}

template <class ForKeys, class ForQueries, int d>
cudaError_t launch(const float* Q, const float* K, const float* V, const float* O, const float* L,
                   const float* dO, float* dQ, float* dK, float* dV, AttentionShape shape,
                   Workspace& workspace, cudaStream_t stream) {
  const int heads = shape.batch * shape.heads, rows = heads * shape.seq_q;
  float* D = workspace.allocate<float>("D", rows);
  if (D == nullptr) return cudaErrorMemoryAllocation;
  const dim3 block(kWarp, kRowsPerBlock);
  row_dot<d><<<Correct::blocks(rows), block, 0, stream>>>(dO, O, D, rows);
  key_gradients<ForKeys, d><<<dim3(ForKeys::blocks(shape.seq_k), heads), block, 0, stream>>>(
      Q, K, V, L, D, dO, dK, dV, shape);
  query_gradients<ForQueries, d>
      <<<dim3(ForQueries::blocks(shape.seq_q), heads), block, 0, stream>>>(Q, K, V, L, D, dO, dQ,
                                                                           shape);
  return cudaGetLastError();
}

/// The two kernels can follow different policies: each recomputes P for itself.
template <class ForKeys, class ForQueries = ForKeys, class... Arguments>
cudaError_t backward(AttentionShape shape, Arguments&&... arguments) {
  return shape.head_dim == 32   ? launch<ForKeys, ForQueries, 32>(arguments...)
         : shape.head_dim == 64 ? launch<ForKeys, ForQueries, 64>(arguments...)
                                : launch<ForKeys, ForQueries, 128>(arguments...);
}

}  // namespace corpus

/// The head of the entry point, for the files that bring their own body.
#define CORPUS_ENTRY_HEAD                                                               \
  cudaError_t lab5_flash_attention_backward(                                            \
      const float* Q, const float* K, const float* V, const float* O, const float* L,   \
      const float* dO, float* dQ, float* dK, float* dV, flashlab::AttentionShape shape, \
      flashlab::Workspace& workspace, cudaStream_t stream)

/// The whole entry point, for the files that bring a policy, or one for the kernel of dK and dV and
/// one for the kernel of dQ.
#define CORPUS_ENTRY(...)                                                                        \
  CORPUS_ENTRY_HEAD {                                                                            \
    return corpus::backward<__VA_ARGS__>(shape, Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace, \
                                         stream);                                                \
  }
