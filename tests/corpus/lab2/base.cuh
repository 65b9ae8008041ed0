// A correct lab 2, with a seam wherever a kernel of the corpus goes wrong.
//
// A file of the corpus derives a policy from Correct, overrides the one function that holds its
// bug, and ends with CORPUS_ENTRIES(policy).
#pragma once

#include <flashlab/lab2.h>

#include <cmath>

namespace corpus {

using flashlab::MergeShape;
using flashlab::RowShape;
using flashlab::Workspace;

struct State {
  float m, l, o;
};

struct Correct {
  static constexpr int kThreads = 128;  // a block, which has one row
  /// The identity's m.
  static __device__ float start() { return -INFINITY; }
  /// What the l, and the o, of the sides a and b are multiplied by: exp(m_a - m) and exp(m_b - m).
  static __device__ float2 weights_l(float a, float b) { return make_float2(a, b); }
  static __device__ float2 weights_o(float a, float b) { return make_float2(a, b); }
  /// exp of a score, or an m, minus the larger m.
  static __device__ float exponential(float x) { return expf(x); }
  /// Whether two sides without keys are left alone.
  static __device__ bool skips_empty() { return true; }
  /// Parts of a row that are merged, and columns that are summed.
  static __device__ int parts(MergeShape shape) { return shape.parts; }
  static __device__ int columns(RowShape shape) { return shape.columns; }
  /// The step of the first and of the last exchange in a warp.
  static __device__ int first_step() { return 16; }
  /// How many warps are merged.
  static __device__ int warps() { return kThreads / 32; }
  /// Between writing and reading the warps' states.
  static __device__ void barrier() { __syncthreads(); }
  /// o of a merged row.
  static __device__ float stored_o(float o, float) { return o; }
  /// P from e = exp(s - m) and l.
  static __device__ float probability(float e, float l) { return l > 0.0f ? e / l : 0.0f; }
};

template <class Policy>
__device__ State merge(State a, State b) {
  State merged = {fmaxf(a.m, b.m), 0.0f, 0.0f};
  if (merged.m == -INFINITY && Policy::skips_empty()) return merged;
  const float to_a = Policy::exponential(a.m - merged.m),
              to_b = Policy::exponential(b.m - merged.m);
  const float2 l = Policy::weights_l(to_a, to_b), o = Policy::weights_o(to_a, to_b);
  merged.l = l.x * a.l + l.y * b.l;
  merged.o = o.x * a.o + o.y * b.o;
  return merged;
}

/// Grid rows, block d: one thread for each element of o.
template <class Policy>
__global__ void merge_states(const float* m, const float* l, const float* o, float* m_out,
                             float* l_out, float* o_out, MergeShape shape) {
  const size_t row = blockIdx.x, c = threadIdx.x, d = shape.head_dim;
  State state = {Policy::start(), 0.0f, 0.0f};
  for (int p = 0; p < Policy::parts(shape); ++p) {
    const size_t part = row * shape.parts + p;
    state = merge<Policy>(state, State{m[part], l[part], o[part * d + c]});
  }
  o_out[row * d + c] = Policy::stored_o(state.o, state.l);
  m_out[row] = state.m;
  l_out[row] = state.l;
}

/// The state of a row of scores, by all threads of the block.
template <class Policy>
__device__ State merge_row(const float* s, RowShape shape) {
  __shared__ State of_warp[Policy::kThreads / 32];
  State state = {Policy::start(), 0.0f, 0.0f};
  for (int j = threadIdx.x; j < Policy::columns(shape); j += Policy::kThreads) {
    const float score = s[j];
    if (score > -INFINITY || !Policy::skips_empty()) {
      state = merge<Policy>(state, State{score, 1.0f, 0.0f});
    }
  }
  for (int step = Policy::first_step(); step > 0; step /= 2) {
    const float m = __shfl_xor_sync(0xffffffffu, state.m, step);
    const float l = __shfl_xor_sync(0xffffffffu, state.l, step);
    // The lower lane's state first, so that both lanes do the same.
    const State other = {m, l, 0.0f};
    state = (threadIdx.x & step) == 0 ? merge<Policy>(state, other) : merge<Policy>(other, state);
  }
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = state;
  Policy::barrier();
  state = of_warp[0];
  for (int w = 1; w < Policy::warps(); ++w) state = merge<Policy>(state, of_warp[w]);
  return state;
}

/// Grid rows, block kThreads.
template <class Policy>
__global__ void row_statistics(const float* S, float* m, float* l, RowShape shape) {
  const size_t row = blockIdx.x;
  const State state = merge_row<Policy>(S + row * shape.columns, shape);
  if (threadIdx.x != 0) return;
  m[row] = state.m;
  l[row] = state.l;
}

/// Grid rows, block kThreads.
template <class Policy>
__global__ void row_softmax(const float* S, float* P, RowShape shape) {
  const size_t row = blockIdx.x;
  const float* s = S + row * shape.columns;
  const State state = merge_row<Policy>(s, shape);
  for (int j = threadIdx.x; j < shape.columns; j += Policy::kThreads) {
    const float e = Policy::exponential(s[j] - state.m);
    P[row * shape.columns + j] = Policy::probability(e, state.l);
  }
}

}  // namespace corpus

#define CORPUS_MERGE_HEAD                                                                     \
  cudaError_t lab2_merge_states(const float* m, const float* l, const float* o, float* m_out, \
                                float* l_out, float* o_out, flashlab::MergeShape shape,       \
                                flashlab::Workspace&, cudaStream_t stream)
#define CORPUS_STATISTICS_HEAD                                                                  \
  cudaError_t lab2_row_statistics(const float* S, float* m, float* l, flashlab::RowShape shape, \
                                  flashlab::Workspace&, cudaStream_t stream)
#define CORPUS_SOFTMAX_HEAD                                                        \
  cudaError_t lab2_row_softmax(const float* S, float* P, flashlab::RowShape shape, \
                               flashlab::Workspace&, cudaStream_t stream)

/// The entry points, for the files that bring a policy; one by one, for those that replace some.
#define CORPUS_MERGE(Policy)                                                              \
  CORPUS_MERGE_HEAD {                                                                     \
    corpus::merge_states<Policy>                                                          \
        <<<shape.rows, shape.head_dim, 0, stream>>>(m, l, o, m_out, l_out, o_out, shape); \
    return cudaGetLastError();                                                            \
  }
#define CORPUS_STATISTICS(Policy)                                                                \
  CORPUS_STATISTICS_HEAD {                                                                       \
    corpus::row_statistics<Policy><<<shape.rows, Policy::kThreads, 0, stream>>>(S, m, l, shape); \
    return cudaGetLastError();                                                                   \
  }
#define CORPUS_SOFTMAX(Policy)                                                             \
  CORPUS_SOFTMAX_HEAD {                                                                    \
    corpus::row_softmax<Policy><<<shape.rows, Policy::kThreads, 0, stream>>>(S, P, shape); \
    return cudaGetLastError();                                                             \
  }
#define CORPUS_ENTRIES(Policy) CORPUS_MERGE(Policy) CORPUS_STATISTICS(Policy) CORPUS_SOFTMAX(Policy)
