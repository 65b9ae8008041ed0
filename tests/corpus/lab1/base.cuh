// A correct naive attention in three stages, with a seam wherever a kernel of the corpus goes
// wrong.
//
// A file of the corpus derives a policy from Correct, overrides the one function that holds its
// bug, and ends with CORPUS_ENTRY(policy). What is not a matter of one function replaces a whole
// stage.
#pragma once

#include <flashlab/lab1.h>

#include <cmath>

namespace corpus {

using flashlab::AttentionShape;
using flashlab::Workspace;

constexpr int kThreads = 128;

struct Correct {
  /// Multiplies Q K^T.
  static __device__ float scale(AttentionShape shape) { return shape.scale; }
  /// How many keys take part.
  static __device__ int keys(AttentionShape shape) { return shape.seq_k; }
  /// Whose K and V the head bh = b * H + h reads.
  static __device__ int kv_head(int bh, AttentionShape) { return bh; }
  /// Applied to every element of Q, K, V and P before it is multiplied.
  static __device__ float operand(float x) { return x; }
  /// What the running maximum of a row starts from.
  static __device__ float maximum_start() { return -INFINITY; }
  /// What is taken off the scores of a row with maximum m.
  static __device__ float shift(float m) { return m; }
  /// The softmax from e = exp(s - m) and their sum l.
  static __device__ float weight(float e, float l) { return e / l; }
  /// Stands between writing and reading shared memory.
  static __device__ void barrier() { __syncthreads(); }
  /// Offset of V[j, c] inside its head.
  static __device__ size_t value_offset(int j, int c, AttentionShape shape) {
    return static_cast<size_t>(j) * shape.head_dim + c;
  }
  /// Writes `o`, the element (i, c), to where `out` points.
  static __device__ void store(float* out, float o, int, int, AttentionShape) { *out = o; }
};

struct Larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct Plus {
  __device__ float operator()(float a, float b) const { return a + b; }
};

/// x combined over the threads of the block; every thread gets it.
template <class Policy, class Combine>
__device__ float over_block(float x, Combine combine) {
  __shared__ float of_warp[kThreads / 32];
  for (int step = 16; step > 0; step /= 2) x = combine(x, __shfl_xor_sync(0xffffffffu, x, step));
  Policy::barrier();  // the values of an earlier call have been read
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
  Policy::barrier();  // every warp has written its value
  x = of_warp[0];
  for (int w = 1; w < kThreads / 32; ++w) x = combine(x, of_warp[w]);
  return x;
}

/// S = scale * Q K^T. Grid (ceil(Nk / 128), Nq, B H): one thread per score.
template <class Policy>
__global__ void scores(const float* Q, const float* K, float* S, AttentionShape shape) {
  const int j = blockIdx.x * kThreads + threadIdx.x, i = blockIdx.y, bh = blockIdx.z;
  const int d = shape.head_dim;
  if (j >= Policy::keys(shape)) return;
  const float* q = Q + (static_cast<size_t>(bh) * shape.seq_q + i) * d;
  const float* k = K + (static_cast<size_t>(Policy::kv_head(bh, shape)) * shape.seq_k + j) * d;
  float dot = 0.0f;
  for (int c = 0; c < d; ++c) dot += Policy::operand(q[c]) * Policy::operand(k[c]);
  S[(static_cast<size_t>(bh) * shape.seq_q + i) * shape.seq_k + j] = dot * Policy::scale(shape);
}

/// P = softmax(S); P may be S. Grid (Nq, B H): one block per row.
template <class Policy>
__global__ void softmax(const float* S, float* P, AttentionShape shape) {
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + blockIdx.x;
  const float* s = S + row * shape.seq_k;
  float* p = P + row * shape.seq_k;
  const int keys = Policy::keys(shape);
  float m = Policy::maximum_start(), l = 0.0f;
  for (int j = threadIdx.x; j < keys; j += kThreads) m = fmaxf(m, s[j]);
  m = Policy::shift(over_block<Policy>(m, Larger{}));
  for (int j = threadIdx.x; j < keys; j += kThreads) l += expf(s[j] - m);
  l = over_block<Policy>(l, Plus{});
  for (int j = threadIdx.x; j < keys; j += kThreads) p[j] = Policy::weight(expf(s[j] - m), l);
}

/// O = P V. Grid (Nq, B H): one thread per element of a row, d <= 128.
template <class Policy>
__global__ void weighted_sum(const float* P, const float* V, float* O, AttentionShape shape) {
  const int i = blockIdx.x, bh = blockIdx.y, c = threadIdx.x;
  if (c >= shape.head_dim) return;
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  const float* p = P + row * shape.seq_k;
  const float* v =
      V + static_cast<size_t>(Policy::kv_head(bh, shape)) * shape.seq_k * shape.head_dim;
  float o = 0.0f;
  for (int j = 0; j < Policy::keys(shape); ++j) {
    o += Policy::operand(p[j]) * Policy::operand(v[Policy::value_offset(j, c, shape)]);
  }
  Policy::store(O + row * shape.head_dim + c, o, i, c, shape);
}

inline dim3 score_grid(AttentionShape shape) {
  return dim3((shape.seq_k + kThreads - 1) / kThreads, shape.seq_q, shape.batch * shape.heads);
}
inline dim3 row_grid(AttentionShape shape) {
  return dim3(shape.seq_q, shape.batch * shape.heads);
}

/// A matrix of B H Nq Nk floats from the workspace.
inline float* score_matrix(Workspace& workspace, const char* name, AttentionShape shape) {
  const size_t rows = static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q;
  return workspace.allocate<float>(name, rows * shape.seq_k);
}

template <class Policy>
cudaError_t attention(const float* Q, const float* K, const float* V, float* O,
                      AttentionShape shape, Workspace& workspace, cudaStream_t stream) {
  float* S = score_matrix(workspace, "S", shape);
  float* P = score_matrix(workspace, "P", shape);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  scores<Policy><<<score_grid(shape), kThreads, 0, stream>>>(Q, K, S, shape);
  softmax<Policy><<<row_grid(shape), kThreads, 0, stream>>>(S, P, shape);
  weighted_sum<Policy><<<row_grid(shape), kThreads, 0, stream>>>(P, V, O, shape);
  return cudaGetLastError();
}

}  // namespace corpus

/// The head of the entry point, for the files that bring their own body.
#define CORPUS_ENTRY_HEAD                                                                          \
  cudaError_t lab1_naive_attention(const float* Q, const float* K, const float* V, float* O,       \
                                   flashlab::AttentionShape shape, flashlab::Workspace& workspace, \
                                   cudaStream_t stream)

/// The whole entry point, for the files that bring a policy.
#define CORPUS_ENTRY(Policy)                                                \
  CORPUS_ENTRY_HEAD {                                                       \
    return corpus::attention<Policy>(Q, K, V, O, shape, workspace, stream); \
  }
