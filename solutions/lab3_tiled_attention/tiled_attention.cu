// Lab 3, tiled attention in the order of the first FlashAttention:  O = softmax(scale * Q K^T) V
// without any matrix of N x N.
//
//   for every tile of Bc keys: copy K and V to shared memory           outer loop
//     for every tile of Br queries: copy Q to shared memory            inner loop
//       S = scale * Q K^T                                              registers
//       read O, m, l of these queries; merge them with the tile; write them back
//
// Between two tiles of keys the state of every query, (m, l, O), lives in device memory: that is
// the price of this order, and what lab 4 turns around. O is kept divided by l, as in the paper:
// Dao et al. 2022, "FlashAttention", Algorithm 1.
//
// Bytes moved for one head, with Tc = ceil(Nk / Bc): K and V once, Q in each of Tc passes, O, m and
// l written in each and read in all but the first:
//   4 * (2 Nk d + Tc Nq d + (2 Tc - 1) Nq (d + 2))
// so Bc decides: with small tiles this is more than lab 1 moves (handout 3, section 6).
//
//   grid       B * H: one block has to pass over all queries before it can take the next keys
//   block      256 threads: each of 8 warps merges one query at a time; a lane holds one key of 32
//   shared     K 16.5 KB (rows of d + 1 floats), V 16 KB, Q 8 KB: the larger d, the fewer rows
//   limit      one block for each head: a single head keeps one of 132 multiprocessors busy
//
// What to do: fill in the six places marked HINT, then run `make lab3`.
//
// Shapes, all float32, row-major: Q, O [B, H, Nq, d]; K, V [B, H, Nk, d]; m, l [B, H, Nq].
#include <flashlab/lab3.h>

#include <cmath>

namespace lab3 {

inline constexpr int kWarp = 32;
inline constexpr int kWarps = 8;
inline constexpr int kThreads = kWarps * kWarp;
inline constexpr unsigned kAllLanes = 0xffffffffu;

// Sizes of the tiles: the larger d, the fewer rows fit. The paper: Bc is about M / 4d, where M is
// the shared memory in floats.
template <int d>
inline constexpr int kBc = 4096 / d;  // keys: 128, 64, 32 for d = 32, 64, 128
template <int d>
inline constexpr int kBr = 2048 / d;  // queries: 64, 32, 16

// Lanes read K down a column, each its own row: rows of d + 1 floats put these 32 elements into 32
// different banks. V is read along its rows and Q by one lane for all: no padding needed.
template <int d>
struct Tiles {
  float K[kBc<d>][d + 1];
  float V[kBc<d>][d];
  float Q[kBr<d>][d];
};

// The state of the online softmax of every query of a head, in device memory.
struct States {
  float* m;  // [Nq] largest score so far
  float* l;  // [Nq] sum of exp(score - m) so far
  float* O;  // [Nq, d] sum of exp(score - m) V, divided by l
};

__device__ float warp_sum(float x) {
  for (int step = kWarp / 2; step > 0; step /= 2) x += __shfl_xor_sync(kAllLanes, x, step);
  return x;
}

__device__ float warp_max(float x) {
  for (int step = kWarp / 2; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, step));
  return x;
}

// Copies rows first, first + 1, ... of a matrix [N, d] into a tile of `rows` rows that lie `stride`
// floats apart, together with the other threads of the block. Rows beyond N become zeros: their
// weight is 0, but 0 * NaN is NaN.
template <int d>
__device__ void load(float* tile, int rows, int stride, const float* matrix, int first, int N) {
  // BEGIN SOLUTION
  // HINT 5 lines: the block's 256 threads share out the rows * d elements so that neighbouring
  // HINT threads read neighbouring addresses.
  for (int e = threadIdx.x; e < rows * d; e += kThreads) {
    const int row = e / d, c = e % d;
    const bool inside = first + row < N;
    tile[row * stride + c] = inside ? matrix[static_cast<size_t>(first + row) * d + c] : 0.0f;
  }
  // END SOLUTION
}

// The scaled scores of the query in row r of the tile Q: s[x] is that of key 32 x + lane of the
// tile K, -INFINITY for a key beyond the last one; `keys` of them exist.
template <int d>
__device__ void scores(const Tiles<d>& tiles, int r, int keys, float scale,
                       float (&s)[kBc<d> / kWarp]) {
  const int lane = threadIdx.x % kWarp;
  // BEGIN SOLUTION
  // HINT 6 lines: for each of this lane's keys, a loop over c that sums Q[r][c] * K[key][c]; then
  // HINT the scale, or -INFINITY.
  for (int x = 0; x < kBc<d> / kWarp; ++x) {
    const int key = x * kWarp + lane;
    float dot = 0.0f;
    for (int c = 0; c < d; ++c) dot += tiles.Q[r][c] * tiles.K[key][c];
    s[x] = key < keys ? scale * dot : -INFINITY;
  }
  // END SOLUTION
}

// o[y] = sum_j p_j V[j][32 y + lane] over the keys of the tile; p[x] of lane j is the weight of key
// 32 x + j.
template <int d>
__device__ void weighted_sum(const Tiles<d>& tiles, const float (&p)[kBc<d> / kWarp],
                             float (&o)[d / kWarp]) {
  const int lane = threadIdx.x % kWarp;
  // BEGIN SOLUTION
  // HINT 7 lines: bring the weight of each key here with __shfl_sync. Unroll the loop over x:
  // HINT arrays in registers need indices that the compiler knows.
#pragma unroll
  for (int x = 0; x < kBc<d> / kWarp; ++x) {
    for (int j = 0; j < kWarp; ++j) {
      const float weight = __shfl_sync(kAllLanes, p[x], j);
      for (int y = 0; y < d / kWarp; ++y) o[y] += weight * tiles.V[x * kWarp + j][y * kWarp + lane];
    }
  }
  // END SOLUTION
}

// Merges the state of query i with the tile; s are its scores there. The whole warp works on one
// query; lane x holds the elements x, x + 32, ... of its row of O.
template <int d>
__device__ void merge(const States& states, int i, bool is_first, const Tiles<d>& tiles,
                      const float (&s)[kBc<d> / kWarp]) {
  const int lane = threadIdx.x % kWarp;
  float* O = states.O + static_cast<size_t>(i) * d;
  // BEGIN SOLUTION
  // HINT 22 lines: the old m and l, which in the first tile are -INFINITY and 0; the new m, over
  // HINT the old one and the warp's scores; the weights p = exp(s - m); the new l = alpha l_old +
  // HINT the warp's sum of p, with alpha = exp(m_old - m); the weighted sum of V; O = (alpha l_old
  // HINT O_old + that sum) / l, where in the first tile O_old is not read, for nobody has written
  // HINT it; and one lane stores m and l.
  const float m_old = is_first ? -INFINITY : states.m[i];
  const float l_old = is_first ? 0.0f : states.l[i];
  float m = -INFINITY;
  for (float score : s) m = fmaxf(m, score);
  m = fmaxf(m_old, warp_max(m));
  float p[kBc<d> / kWarp], sum = 0.0f;
  for (int x = 0; x < kBc<d> / kWarp; ++x) {
    p[x] = expf(s[x] - m);
    sum += p[x];
  }
  const float old_weight = expf(m_old - m) * l_old;
  const float l = old_weight + warp_sum(sum);
  float o[d / kWarp] = {};
  weighted_sum(tiles, p, o);
  for (int y = 0; y < d / kWarp; ++y) {
    float& element = O[y * kWarp + lane];
    element = (is_first ? o[y] : old_weight * element + o[y]) / l;
  }
  if (lane == 0) {
    states.m[i] = m;
    states.l[i] = l;
  }
  // END SOLUTION
}

template <int d>
__global__ void __launch_bounds__(kThreads)
    tiled_attention(const float* Q, const float* K, const float* V, float* O, float* m, float* l,
                    int Nq, int Nk, float scale) {
  __shared__ Tiles<d> tiles;
  const size_t head = blockIdx.x;
  const int warp = threadIdx.x / kWarp;
  Q += head * Nq * d;
  K += head * Nk * d;
  V += head * Nk * d;
  const States states{m + head * Nq, l + head * Nq, O + head * Nq * d};

  // BEGIN SOLUTION
  // HINT 14 lines: the two loops of the story above. After the tiles are loaded a barrier; then
  // HINT each warp takes the queries warp, warp + 8, ... of the tile that exist: scores, merge; and
  // HINT a barrier before a tile is overwritten. ceil, not floor: the last tiles may be partial.
  for (int key = 0; key < Nk; key += kBc<d>) {
    load<d>(tiles.K[0], kBc<d>, d + 1, K, key, Nk);
    load<d>(tiles.V[0], kBc<d>, d, V, key, Nk);
    for (int row = 0; row < Nq; row += kBr<d>) {
      load<d>(tiles.Q[0], kBr<d>, d, Q, row, Nq);
      __syncthreads();  // the tiles are complete
      for (int r = warp; r < min(kBr<d>, Nq - row); r += kWarps) {
        float s[kBc<d> / kWarp];
        scores(tiles, r, Nk - key, scale, s);
        merge(states, row + r, key == 0, tiles, s);
      }
      __syncthreads();  // nobody reads Q any more, and after the last row nobody K and V
    }
  }
  // END SOLUTION
}

}  // namespace lab3

cudaError_t lab3_tiled_attention(const float* Q, const float* K, const float* V, float* O,
                                 flashlab::AttentionShape shape, flashlab::Workspace& workspace,
                                 cudaStream_t stream) {
  using namespace lab3;
  cudaError_t status = cudaErrorNotYetImplemented;
  // BEGIN SOLUTION
  // HINT 19 lines: take m and l from the workspace, by these names (nullptr when they do not fit:
  // HINT return cudaErrorMemoryAllocation); launch the kernel for this head_dim with one block for
  // HINT each head, on `stream`; another head_dim is cudaErrorInvalidValue; status =
  // HINT cudaGetLastError().
  const int heads = shape.batch * shape.heads, Nq = shape.seq_q, Nk = shape.seq_k;
  float* m = workspace.allocate<float>("m", static_cast<size_t>(heads) * Nq);
  float* l = workspace.allocate<float>("l", static_cast<size_t>(heads) * Nq);
  if (m == nullptr || l == nullptr) return cudaErrorMemoryAllocation;
  const float scale = shape.scale;
  switch (shape.head_dim) {
    case 32:
      tiled_attention<32><<<heads, kThreads, 0, stream>>>(Q, K, V, O, m, l, Nq, Nk, scale);
      break;
    case 64:
      tiled_attention<64><<<heads, kThreads, 0, stream>>>(Q, K, V, O, m, l, Nq, Nk, scale);
      break;
    case 128:
      tiled_attention<128><<<heads, kThreads, 0, stream>>>(Q, K, V, O, m, l, Nq, Nk, scale);
      break;
    default:
      return cudaErrorInvalidValue;
  }
  status = cudaGetLastError();
  // END SOLUTION
  return status;
}
