// Lab 4, FlashAttention-2, forward:  O = softmax(scale * Q K^T + mask) V  in one kernel that keeps
// O in registers, and L = ln sum_j exp(S_ij), which the backward pass of lab 5 needs.
//
//   for every tile of 64 queries, head and batch: one block of 8 warps, 8 queries to a warp
//     for every tile of 32 keys that one of them may see:
//       S = scale * q k^T        lane x has the score of key x for each of the warp's queries
//       m, l, o                  merged with the tile, as in lab 2
//     O = o / l, L = m + ln l    one division, at the end
//
// Lab 3 turned inside out: there the outer loop went over K and V and wrote O back after each tile;
// here the blocks share out the queries, K and V are read again by every block, and O, m and l are
// written once. Bytes moved for one head with T = ceil(Nq / 64) blocks: 4 Nq (d + 1) for O and L,
// 8 Nk d T for K and V, and 4 d 64 T for Q, of which the last block reads its last row again where
// it has none: handout 4, section 3.
//
//   grid       (ceil(Nq / 64), H, B)
//   block      256 threads
//   shared     a tile of K with rows of d + 1 floats, and one of V: 32.6 KB for d = 128
//   registers  for each of a warp's queries, lane x holds the elements x, x + 32, ... of q and o
//   limit      the path to shared memory, which shuffles take too: Q K^T has one shuffle for each
//              multiply-add. Register tiles of 8 x 8 end this, see the tuned kernel.
//
// What to do: fill in the seven places marked HINT, then run `make lab4`.
//
// Shapes, all float32, row-major: Q, O [B, H, Nq, d]; K, V [B, H, Nk, d]; L [B, H, Nq].
#include <flashlab/lab4.h>

#include <cmath>

namespace lab4 {

inline constexpr int kWarp = 32;
inline constexpr int kWarps = 8;
inline constexpr int kBr = 64;              // queries to a block
inline constexpr int kRows = kBr / kWarps;  // queries to a warp
inline constexpr int kBc = kWarp;           // keys to a tile: one to a lane
inline constexpr unsigned kAllLanes = 0xffffffffu;

__device__ float warp_sum(float x) {
  for (int step = kWarp / 2; step > 0; step /= 2) x += __shfl_xor_sync(kAllLanes, x, step);
  return x;
}

__device__ float warp_max(float x) {
  for (int step = kWarp / 2; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, step));
  return x;
}

// A tile of K and V. Lanes read K down a column, each its own row: rows of d + 1 floats put these
// 32 elements into 32 different banks. V is read along its rows and needs no padding.
template <int d>
struct Tile {
  float K[kBc][d + 1];
  float V[kBc][d];
};

// The state of the online softmax of one query. Lane x of its warp holds o[x], o[x + 32], ...
template <int d>
struct State {
  float m = -INFINITY;
  float l = 0.0f;
  float o[d / kWarp] = {};
};

// How many of the Nk keys query i may see; none when this is 0 or less.
__device__ int visible_keys(int i, flashlab::AttentionShape shape) {
  int keys = shape.seq_k;
  // BEGIN SOLUTION
  // HINT 1 line: with shape.causal, query i sees the keys j <= i + (Nk - Nq), so that the last
  // HINT query sees them all. For Nq > Nk the first queries see none.
  if (shape.causal) keys = i + (shape.seq_k - shape.seq_q) + 1;
  // END SOLUTION
  return keys;
}

// Copies rows first to first + 31 of K and V [Nk, d] into the tile, together with the other threads
// of the block. Rows beyond Nk become zeros: their weight is 0, but 0 * NaN is NaN.
template <int d>
__device__ void load(Tile<d>& tile, const float* K, const float* V, int first, int Nk) {
  // BEGIN SOLUTION
  // HINT 6 lines: the block's 256 threads share out the 32 * d elements so that neighbouring
  // HINT threads read neighbouring addresses.
  for (int e = threadIdx.x; e < kBc * d; e += kWarps * kWarp) {
    const int j = e / d, c = e % d;
    const bool inside = first + j < Nk;
    tile.K[j][c] = inside ? K[static_cast<size_t>(first + j) * d + c] : 0.0f;
    tile.V[j][c] = inside ? V[static_cast<size_t>(first + j) * d + c] : 0.0f;
  }
  // END SOLUTION
}

// The products q . k of this lane's key with each of the warp's queries. q[r][x] of lane y is
// element 32 x + y of query r.
template <int d>
__device__ void products(const float (&q)[kRows][d / kWarp], const Tile<d>& tile, int lane,
                         float (&s)[kRows]) {
  // BEGIN SOLUTION
  // HINT 7 lines: for each element c of the key, read it once and use it for all queries; element c
  // HINT of query r is in lane c % 32, so __shfl_sync brings it here. Unroll the loop over c / 32:
  // HINT arrays in registers need indices that the compiler knows.
#pragma unroll
  for (int x = 0; x < d / kWarp; ++x) {
    for (int y = 0; y < kWarp; ++y) {
      const float k = tile.K[lane][x * kWarp + y];
      for (int r = 0; r < kRows; ++r) s[r] += __shfl_sync(kAllLanes, q[r][x], y) * k;
    }
  }
  // END SOLUTION
}

// Merges a query's state with a tile: lane x brings the score s of key x, -INFINITY if it is
// masked. Afterwards p is the weight exp(s - m) of this lane's key, and o waits for the sum of p V.
template <int d>
__device__ float merge(State<d>& state, float s) {
  float p = 0.0f;
  // BEGIN SOLUTION
  // HINT 7 lines: the new maximum, over the warp and the old one; alpha = exp(m_old - m_new)
  // HINT rescales l and o. While no key was seen, m is -INFINITY and exp(-inf + inf) is NaN: leave
  // HINT the state as it is then.
  const float m = fmaxf(state.m, warp_max(s));
  if (m == -INFINITY) return p;
  const float alpha = expf(state.m - m);
  p = expf(s - m);
  state.m = m;
  state.l = alpha * state.l + warp_sum(p);
  for (int x = 0; x < d / kWarp; ++x) state.o[x] *= alpha;
  // END SOLUTION
  return p;
}

// Adds p V to the o of the warp's queries: p[r] of lane j is the weight of key j for query r.
template <int d>
__device__ void add_values(const float (&p)[kRows], const Tile<d>& tile, int lane,
                           State<d> (&state)[kRows]) {
  // BEGIN SOLUTION
  // HINT 8 lines: for each key j, bring its weights here with __shfl_sync, and read V[j][lane],
  // HINT V[j][lane + 32], ... once for all queries.
  for (int j = 0; j < kBc; ++j) {
    float weight[kRows];
    for (int r = 0; r < kRows; ++r) weight[r] = __shfl_sync(kAllLanes, p[r], j);
    for (int x = 0; x < d / kWarp; ++x) {
      const float v = tile.V[j][x * kWarp + lane];
      for (int r = 0; r < kRows; ++r) state[r].o[x] += weight[r] * v;
    }
  }
  // END SOLUTION
}

template <int d>
__global__ void __launch_bounds__(kWarps* kWarp)
    flash_attention2(const float* Q, const float* K, const float* V, float* O, float* L,
                     flashlab::AttentionShape shape) {
  __shared__ Tile<d> tile;
  const int Nq = shape.seq_q, Nk = shape.seq_k;
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const size_t head = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  const int first_row = blockIdx.x * kBr + warp * kRows;  // of this warp
  Q += head * Nq * d;
  O += head * Nq * d;
  L += head * Nq;
  K += head * Nk * d;
  V += head * Nk * d;

  float q[kRows][d / kWarp];
  State<d> state[kRows];
  for (int r = 0; r < kRows; ++r) {
    const int i = min(first_row + r, Nq - 1);  // a row beyond the end is computed, but not stored
    for (int x = 0; x < d / kWarp; ++x) q[r][x] = Q[static_cast<size_t>(i) * d + x * kWarp + lane];
  }

  // BEGIN SOLUTION
  // HINT 20 lines: the loop over tiles of keys, up to the last key that the last query of this
  // HINT block sees: tiles beyond it are not even loaded. In the loop: load; barrier; products; for
  // HINT each query, its score (-INFINITY for a key it does not see) and merge; add_values; and a
  // HINT barrier before the tile is overwritten. Then, for each query inside Nq: O = o / l and L =
  // HINT m + ln l; 0 and -INFINITY where no key was seen.
  const int last_row = min(static_cast<int>(blockIdx.x + 1) * kBr, Nq) - 1;
  const int keys = visible_keys(last_row, shape);
  for (int first = 0; first < keys; first += kBc) {
    load(tile, K, V, first, Nk);
    __syncthreads();  // the tile is complete
    float s[kRows] = {};
    products(q, tile, lane, s);
    for (int r = 0; r < kRows; ++r) {
      const bool visible = first + lane < visible_keys(min(first_row + r, Nq - 1), shape);
      s[r] = merge(state[r], visible ? shape.scale * s[r] : -INFINITY);
    }
    add_values(s, tile, lane, state);
    __syncthreads();  // nobody reads the tile any more
  }
  for (int r = 0; r < kRows && first_row + r < Nq; ++r) {
    const float l = state[r].l, scale = l > 0.0f ? 1.0f / l : 0.0f;
    float* o = O + static_cast<size_t>(first_row + r) * d;
    for (int x = 0; x < d / kWarp; ++x) o[x * kWarp + lane] = scale * state[r].o[x];
    if (lane == 0) L[first_row + r] = state[r].m + logf(l);  // -inf + ln 0 = -inf: no key was seen
  }
  // END SOLUTION
}

}  // namespace lab4

cudaError_t lab4_flash_attention2(const float* Q, const float* K, const float* V, float* O,
                                  float* L, flashlab::AttentionShape shape,
                                  flashlab::Workspace& /*workspace*/, cudaStream_t stream) {
  using namespace lab4;
  cudaError_t status = cudaErrorNotYetImplemented;
  // BEGIN SOLUTION
  // HINT 16 lines: launch the kernel for this head_dim with the grid above, on `stream`; another
  // HINT head_dim is cudaErrorInvalidValue; status = cudaGetLastError().
  const dim3 grid((shape.seq_q + kBr - 1) / kBr, shape.heads, shape.batch);
  const int block = kWarps * kWarp;
  switch (shape.head_dim) {
    case 32:
      flash_attention2<32><<<grid, block, 0, stream>>>(Q, K, V, O, L, shape);
      break;
    case 64:
      flash_attention2<64><<<grid, block, 0, stream>>>(Q, K, V, O, L, shape);
      break;
    case 128:
      flash_attention2<128><<<grid, block, 0, stream>>>(Q, K, V, O, L, shape);
      break;
    default:
      return cudaErrorInvalidValue;
  }
  status = cudaGetLastError();
  // END SOLUTION
  return status;
}
