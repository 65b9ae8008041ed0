// Lab 5, backward by recomputation: dQ, dK and dV without an N x N matrix in memory.
//
// With P = softmax(S), S = scale Q K^T, and the gradient dO that comes from behind:
//
//   dV = P^T dO      dP = dO V^T      dS = P o (dP - D)      dQ = scale dS K      dK = scale dS^T Q
//
// The forward pass threw P away. It kept L_i = ln sum_j exp(S_ij), and that is enough: P_ij =
// exp(S_ij - L_i), tile by tile, with no running maximum, for the whole row is already summed up in
// L. And D_i = sum_j P_ij dP_ij needs no row of P either: it equals sum_c dO_ic O_ic.
//
//   row_dot           D = rowsum(dO o O)    one warp per row
//   key_gradients     dK, dV                one block per tile of keys, loop over tiles of queries
//   query_gradients   dQ                    one block per tile of queries, loop over tiles of keys
//
// dK and dV are sums over queries, dQ is a sum over keys. A block that owns its sums adds them up
// in registers and in the same order every time, so both loops have a kernel, and P and dP are
// computed twice: 7 products of matrices instead of 5. The way out is to add up dQ by atomics in
// key_gradients; then the last bits change from run to run.
//
//   grid       (B H, tiles)       block  (32, 8): threadIdx.x = tx, threadIdx.y = ty
//   shared     (4 d + 70) 32 floats and the padding: 75 KB at d = 128, so three blocks per SM
//   registers  d / 32 sums for each of 4 rows, times 2 (dK and dV); P and dS pass through shared
//   bytes      key_gradients reads Q and dO once per tile of keys: 8 Nq d Nk / 32; query_gradients
//              reads K and V once per tile of queries, the same again. The rest is O(N d).
//   limit      reads of shared memory: 1.25 per multiply-add in the products with P and dS, and 10
//              for 8 in S and dP. Register tiles of 8 x 8 need 0.06: tuned/ has them.
//
// What to do: fill in the five places marked HINT, then run `make lab5`.
#include <flashlab/lab5.h>

#include <cmath>

namespace lab5 {

inline constexpr int kWarp = 32;
inline constexpr int kTile = 32;          // Br = Bc: rows of a tile of Q and of K
inline constexpr int kRowsOfThreads = 8;  // blockDim.y
inline constexpr int kRowsPerThread = kTile / kRowsOfThreads;  // rows ty, ty + 8, ty + 16, ty + 24

constexpr unsigned ceil_div(int a, int b) {
  return static_cast<unsigned>((a + b - 1) / b);
}

struct Problem {
  int Nq, Nk;
  float scale;
  bool causal;

  // The mask, bottom right aligned. Rows and columns beyond the end count as masked.
  __device__ bool sees(int i, int j) const {
    return i < Nq && j < Nk && (!causal || j <= i + Nk - Nq);
  }
};

// One tile of each tensor. Rows are d + 1 floats apart: the 32 lanes of a warp that read the same
// column of 32 rows meet 32 banks.
template <int d>
struct Tiles {
  float Q[kTile][d + 1], dO[kTile][d + 1];
  float K[kTile][d + 1], V[kTile][d + 1];
  float P[kTile][kTile + 1], dS[kTile][kTile + 1];  // query, key
  float L[kTile], D[kTile];
};

// Rows first, first + 1, ... of one head's tensor [rows, d] into a tile; zeros beyond the end, so
// that they add nothing to any sum. Given.
template <int d>
__device__ void load_rows(float (*tile)[d + 1], const float* tensor, int first, int rows) {
  for (int r = threadIdx.y; r < kTile; r += kRowsOfThreads) {
    for (int c = threadIdx.x; c < d; c += kWarp) {
      tile[r][c] = first + r < rows ? tensor[static_cast<size_t>(first + r) * d + c] : 0.0f;
    }
  }
}

// The same for what there is one number per row of. Given.
__device__ void load_numbers(float* tile, const float* numbers, int first, int rows) {
  if (threadIdx.y == 0) {
    const int i = first + threadIdx.x;
    tile[threadIdx.x] = i < rows ? numbers[i] : 0.0f;
  }
}

// Rows of this thread's sums, times `factor`, to rows first + ty, + 8, ... of a tensor [rows, d].
// Given.
template <int d>
__device__ void store_rows(float* tensor, const float (&sums)[kRowsPerThread][d / kWarp],
                           float factor, int first, int rows) {
  for (int r = 0; r < kRowsPerThread; ++r) {
    const int row = first + threadIdx.y + r * kRowsOfThreads;
    for (int c = 0; c < d / kWarp; ++c) {
      if (row < rows) {
        tensor[static_cast<size_t>(row) * d + threadIdx.x + c * kWarp] = factor * sums[r][c];
      }
    }
  }
}

// D[row] = sum_c dO[row, c] O[row, c]
//   grid    ceil(rows / 8)
//   block   (32, 8): one warp per row
//   bytes   8 d per row read, 4 written, all coalesced
__global__ void row_dot(const float* dO, const float* O, float* D, int rows, int d) {
  // HINT 10 lines: find the warp's row (threadIdx.y counts rows); each lane sums every 32nd column;
  // HINT add up the lanes with __shfl_xor_sync; lane 0 stores.
}

// P and dS of the tiles that lie in shared memory; query 0 of the tile is query i0 of the head, key
// 0 is key j0. Thread (tx, ty) computes key tx for queries ty, ty + 8, ty + 16, ty + 24: its row of
// K and V differs from that of its neighbours, its rows of Q and dO are the same for the whole
// warp.
template <int d>
__device__ void probabilities(Tiles<d>& tile, int i0, int j0, const Problem& problem) {
  // HINT 17 lines: for each of the 4 queries two sums, s = q . k and dp = dO . v, in one loop over
  // HINT c. Then P = exp(scale * s - L) and dS = P * (dp - D). Where problem.sees says no, both are
  // HINT 0: do not even compute exp there, since L = -infinity for a query that sees no key.
}

// dK[j, :] = scale sum_i dS[i, j] Q[i, :]   and   dV[j, :] = sum_i P[i, j] dO[i, :]
//   grid    (B H, ceil(Nk / 32)): blockIdx.y is the tile of keys
// Thread (tx, ty) owns columns tx, tx + 32, ... of keys ty, ty + 8, ty + 16, ty + 24.
template <int d>
__global__ void key_gradients(const float* Q, const float* K, const float* V, const float* L,
                              const float* D, const float* dO, float* dK, float* dV,
                              Problem problem) {
  extern __shared__ float shared_memory[];
  Tiles<d>& tile = *reinterpret_cast<Tiles<d>*>(shared_memory);
  const size_t bh = blockIdx.x;
  const int j0 = blockIdx.y * kTile;
  float dk[kRowsPerThread][d / kWarp] = {}, dv[kRowsPerThread][d / kWarp] = {};
  // HINT 27 lines: move Q, dO, L, D and K, V to head bh and load the tiles of K and V. For each
  // HINT tile of queries: load Q, dO, L and D, __syncthreads, probabilities, __syncthreads; then
  // HINT for each of its queries dv += P * dO and dk += dS * Q; __syncthreads before the next tile
  // HINT is loaded. With the causal mask, queries before j0 - (Nk - Nq) see no key of this tile:
  // HINT skip tiles that have only such queries.
  store_rows<d>(dV + bh * problem.Nk * d, dv, 1.0f, j0, problem.Nk);
  store_rows<d>(dK + bh * problem.Nk * d, dk, problem.scale, j0, problem.Nk);
}

// dQ[i, :] = scale sum_j dS[i, j] K[j, :]
//   grid    (B H, ceil(Nq / 32)): blockIdx.y is the tile of queries
// Thread (tx, ty) owns columns tx, tx + 32, ... of queries ty, ty + 8, ty + 16, ty + 24.
template <int d>
__global__ void query_gradients(const float* Q, const float* K, const float* V, const float* L,
                                const float* D, const float* dO, float* dQ, Problem problem) {
  extern __shared__ float shared_memory[];
  Tiles<d>& tile = *reinterpret_cast<Tiles<d>*>(shared_memory);
  const size_t bh = blockIdx.x;
  const int i0 = blockIdx.y * kTile;
  float dq[kRowsPerThread][d / kWarp] = {};
  // HINT 25 lines: as in key_gradients with the loops exchanged: load Q, dO, L and D once, then for
  // HINT each tile of keys load K and V, __syncthreads, probabilities, __syncthreads, dq += dS * K,
  // HINT __syncthreads. With the causal mask, stop after the last key that the tile's last query
  // HINT sees.
  store_rows<d>(dQ + bh * problem.Nq * d, dq, problem.scale, i0, problem.Nq);
}

// The two big kernels for one head_dim. Given: more than 48 KB of shared memory have to be asked
// for.
template <int d>
cudaError_t launch(const float* Q, const float* K, const float* V, const float* L, const float* D,
                   const float* dO, float* dQ, float* dK, float* dV, unsigned heads,
                   const Problem& problem, cudaStream_t stream) {
  constexpr int kBytes = sizeof(Tiles<d>);
  const auto attribute = cudaFuncAttributeMaxDynamicSharedMemorySize;
  for (const void* kernel : {reinterpret_cast<const void*>(key_gradients<d>),
                             reinterpret_cast<const void*>(query_gradients<d>)}) {
    const cudaError_t status = cudaFuncSetAttribute(kernel, attribute, kBytes);
    if (status != cudaSuccess) return status;
  }
  const dim3 block(kWarp, kRowsOfThreads);
  const dim3 key_tiles(heads, ceil_div(problem.Nk, kTile));
  const dim3 query_tiles(heads, ceil_div(problem.Nq, kTile));
  key_gradients<d><<<key_tiles, block, kBytes, stream>>>(Q, K, V, L, D, dO, dK, dV, problem);
  query_gradients<d><<<query_tiles, block, kBytes, stream>>>(Q, K, V, L, D, dO, dQ, problem);
  return cudaGetLastError();
}

}  // namespace lab5

cudaError_t lab5_flash_attention_backward(const float* Q, const float* K, const float* V,
                                          const float* O, const float* L, const float* dO,
                                          float* dQ, float* dK, float* dV,
                                          flashlab::AttentionShape shape,
                                          flashlab::Workspace& workspace, cudaStream_t stream) {
  using namespace lab5;
  cudaError_t status = cudaErrorNotYetImplemented;
  // HINT 22 lines: take D from the workspace (nullptr when it does not fit: return
  // HINT cudaErrorMemoryAllocation); launch row_dot, then launch<32>, <64> or <128>;
  // HINT cudaErrorInvalidValue for another head_dim.
  return status;
}
