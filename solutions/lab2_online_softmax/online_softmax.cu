// Lab 2, online softmax: the sums of a softmax in one pass, in any order, in any number of parts.
//
// What is known of a row after some of its keys is a state (m, l, o):
//   m  the largest score,  l  the sum of exp(score - m),  o  the sum of exp(score - m) * value
// Two states of different keys merge into the state of all of them; a row cut into pieces, by
// threads, warps or tiles, is merged in the end. Sources: Milakov and Gimelshein 2018, "Online
// normalizer calculation for softmax", section 3; Dao et al. 2022, "FlashAttention", section 3.1.
//
//   part a  merge_states    merges given states, row by row          lab2_merge_states
//   part b  row_statistics  m and l of long rows, reading them once  lab2_row_statistics
//   part c  row_softmax     the softmax, reading its input twice     lab2_row_softmax
//
// Lab 1 read the scores three times: for m, for l, for the quotients. Here one pass finds m and l.
//
// What to do: fill in the places marked HINT, in this order, then run `make lab2`.
//
// Shapes, all float32, row-major: see labs/include/flashlab/lab2.h.
#include <flashlab/lab2.h>

#include <cmath>

namespace lab2 {

inline constexpr int kWarp = 32;
inline constexpr int kWarps = 8;  // of a block
inline constexpr int kThreads = kWarps * kWarp;
inline constexpr unsigned kAllLanes = 0xffffffffu;

// A state, with one element of o: m and l are the same for all of them.
struct State {
  float m, l, o;
};

// The state when no key was seen: merging with it changes nothing.
__device__ State identity() {
  State state = {0.0f, 0.0f, 0.0f};
  // BEGIN SOLUTION
  // HINT 1 line: which m is never the larger one? 0 is not it, for scores may be negative.
  state.m = -INFINITY;
  // END SOLUTION
  return state;
}

// The state after the keys of a and of b. With a = (3, 2.5, 1) and one more key of score 4 and
// value 0.5, b = (4, 1, 0.5): m = 4, l = 2.5 exp(3 - 4) + 1 = 1.9197, o = exp(3 - 4) + 0.5 =
// 0.8679.
__device__ State merge(State a, State b) {
  State merged = a;
  // BEGIN SOLUTION
  // HINT 5 lines: the larger m; each side's l and o are sums of exp(score - its m), so each is
  // HINT multiplied by exp(its m - the larger m). Two identities have m = -INFINITY, and exp(-inf +
  // HINT inf) is NaN: return one of them then.
  merged.m = fmaxf(a.m, b.m);
  if (merged.m == -INFINITY) return merged;
  const float weight_a = expf(a.m - merged.m), weight_b = expf(b.m - merged.m);
  merged.l = weight_a * a.l + weight_b * b.l;
  merged.o = weight_a * a.o + weight_b * b.o;
  // END SOLUTION
  return merged;
}

// Part a. Merges the parts of each row: m, l [rows, parts], o [rows, parts, d].
//   grid    ceil(rows * d / 256)
//   block   256: one thread for each element of o_out; all d threads of a row find the same m and l
// Given: it calls what you write above.
__global__ void merge_states(const float* m, const float* l, const float* o, float* m_out,
                             float* l_out, float* o_out, flashlab::MergeShape shape) {
  const int d = shape.head_dim, parts = shape.parts;
  const size_t element = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (element >= static_cast<size_t>(shape.rows) * d) return;
  const size_t row = element / d;
  const int c = static_cast<int>(element % d);
  State state = identity();
  for (int p = 0; p < parts; ++p) {
    const size_t part = row * parts + p;
    state = merge(state, State{m[part], l[part], o[part * d + c]});
  }
  o_out[element] = state.o;
  if (c == 0) {
    m_out[row] = state.m;
    l_out[row] = state.l;
  }
}

// The merged state of the 32 lanes of a warp; every lane gets it.
__device__ State merge_warp(State state) {
  // BEGIN SOLUTION
  // HINT 5 lines: as warp_sum in lab 1, but with merge in place of the addition: for steps of 16,
  // HINT 8, 4, 2, 1, the other lane's m and l by __shfl_xor_sync. o is not needed here, 0 will do.
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const float m = __shfl_xor_sync(kAllLanes, state.m, step);
    const float l = __shfl_xor_sync(kAllLanes, state.l, step);
    state = merge(state, State{m, l, 0.0f});
  }
  // END SOLUTION
  return state;
}

// The merged state of the 256 threads of a block; every thread gets it. To be called once in a
// kernel, by all threads.
__device__ State merge_block(State state) {
  __shared__ State of_warp[kWarps];
  // BEGIN SOLUTION
  // HINT 5 lines: merge the warp; one lane stores the result in of_warp; a barrier; then every
  // HINT thread merges the states of all warps.
  state = merge_warp(state);
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = state;
  __syncthreads();  // the state of every warp is there
  state = identity();
  for (int w = 0; w < kWarps; ++w) state = merge(state, of_warp[w]);
  // END SOLUTION
  return state;
}

// The state of a row of scores, by all threads of the block together.
__device__ State merge_row(const float* s, int columns) {
  State state = identity();
  // BEGIN SOLUTION
  // HINT 3 lines: each thread walks over its columns, threadIdx.x, threadIdx.x + 256, ..., so that
  // HINT neighbours read neighbours; a single score s is the state (s, 1, 0), and one of -INFINITY
  // HINT is the identity, not (-INFINITY, 1, 0).
  for (int j = threadIdx.x; j < columns; j += kThreads) {
    if (s[j] > -INFINITY) state = merge(state, State{s[j], 1.0f, 0.0f});
  }
  // END SOLUTION
  return merge_block(state);
}

// Part b. m and l of each row of S [rows, columns].
//   grid    rows
//   block   256: a row is shared out over the block
//   bytes   4 per score read, once
__global__ void row_statistics(const float* S, float* m, float* l, int columns) {
  const size_t row = blockIdx.x;
  // BEGIN SOLUTION
  // HINT 5 lines: the state of the row; one thread stores m and l.
  const State state = merge_row(S + row * columns, columns);
  if (threadIdx.x == 0) {
    m[row] = state.m;
    l[row] = state.l;
  }
  // END SOLUTION
}

// Part c. P[row, j] = exp(S[row, j] - m) / l.
//   grid    rows
//   block   256
//   bytes   per score: 8 read (for the state, for the quotients), 4 written
__global__ void row_softmax(const float* S, float* P, int columns) {
  const float* s = S + static_cast<size_t>(blockIdx.x) * columns;
  float* p = P + static_cast<size_t>(blockIdx.x) * columns;
  // BEGIN SOLUTION
  // HINT 4 lines: the state of the row; then each thread's quotients. When no score is above
  // HINT -INFINITY, l is 0 and the row becomes zeros.
  const State state = merge_row(s, columns);
  for (int j = threadIdx.x; j < columns; j += kThreads) {
    p[j] = state.l > 0.0f ? expf(s[j] - state.m) / state.l : 0.0f;
  }
  // END SOLUTION
}

}  // namespace lab2

cudaError_t lab2_merge_states(const float* m, const float* l, const float* o, float* m_out,
                              float* l_out, float* o_out, flashlab::MergeShape shape,
                              flashlab::Workspace& /*workspace*/, cudaStream_t stream) {
  using namespace lab2;
  cudaError_t status = cudaErrorNotYetImplemented;
  // BEGIN SOLUTION
  // HINT 4 lines: when identity and merge are written, launch merge_states with the grid above, on
  // HINT `stream`; status = cudaGetLastError().
  const size_t elements = static_cast<size_t>(shape.rows) * shape.head_dim;
  const auto blocks = static_cast<unsigned>((elements + kThreads - 1) / kThreads);
  merge_states<<<blocks, kThreads, 0, stream>>>(m, l, o, m_out, l_out, o_out, shape);
  status = cudaGetLastError();
  // END SOLUTION
  return status;
}

cudaError_t lab2_row_statistics(const float* S, float* m, float* l, flashlab::RowShape shape,
                                flashlab::Workspace& /*workspace*/, cudaStream_t stream) {
  using namespace lab2;
  cudaError_t status = cudaErrorNotYetImplemented;
  // BEGIN SOLUTION
  // HINT 2 lines: launch row_statistics, one block for each row.
  row_statistics<<<shape.rows, kThreads, 0, stream>>>(S, m, l, shape.columns);
  status = cudaGetLastError();
  // END SOLUTION
  return status;
}

cudaError_t lab2_row_softmax(const float* S, float* P, flashlab::RowShape shape,
                             flashlab::Workspace& /*workspace*/, cudaStream_t stream) {
  using namespace lab2;
  cudaError_t status = cudaErrorNotYetImplemented;
  // BEGIN SOLUTION
  // HINT 2 lines: launch row_softmax, one block for each row.
  row_softmax<<<shape.rows, kThreads, 0, stream>>>(S, P, shape.columns);
  status = cudaGetLastError();
  // END SOLUTION
  return status;
}
