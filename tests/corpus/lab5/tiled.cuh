// A correct backward pass in two kernels, one block for each tile of keys and then one for each
// tile of queries, and a seam wherever a kernel of the corpus goes wrong.
//
// A file of the corpus derives a policy from Correct, overrides the one function that holds its
// bug, and ends with CORPUS_ENTRY(policy). What is not a matter of one function replaces a kernel.
#pragma once

#include <flashlab/lab5.h>

#include <cmath>

namespace corpus {

using flashlab::AttentionShape;
using flashlab::Workspace;

/// The two kernels: one owns dK and dV, the other dQ.
enum class Pass { kKeys, kQueries };

struct Correct {
  static constexpr int kTile = 32;  // queries and keys of a tile
  static constexpr int kPad = 1;    // floats behind each row of a tile

  /// Multiplies Q K^T.
  static __device__ float scale(AttentionShape shape) { return shape.scale; }
  /// What the sums of dK and of dQ are multiplied by.
  static __device__ float scale_dk(AttentionShape shape) { return shape.scale; }
  static __device__ float scale_dq(AttentionShape shape) { return shape.scale; }
  /// Under a causal mask query i sees the keys up to i + offset; whether there is a mask at all.
  static __device__ int offset(AttentionShape shape) { return shape.seq_k - shape.seq_q; }
  template <Pass pass>
  static __device__ bool masks() {
    return true;
  }
  /// Whether whole tiles are skipped under a causal mask.
  static __device__ bool skips() { return true; }
  /// How many keys the loop of the second kernel goes through.
  static __device__ int keys(AttentionShape shape) { return shape.seq_k; }
  /// Whose K and V the head bh = b * H + h reads.
  static __device__ int kv_head(int bh, AttentionShape) { return bh; }
  /// A term of D.
  static __device__ float dot_term(float d_o, float o) { return d_o * o; }
  /// What dO and Q are multiplied by in dV and dK, from P and dS of query i and key j of a tile.
  template <class Tile>
  static __device__ float weight_dv(const Tile& tile, int i, int j) {
    return tile.P[i][j];
  }
  template <class Tile>
  static __device__ float weight_dk(const Tile& tile, int i, int j) {
    return tile.dS[i][j];
  }
  /// Copies rows first, first + 1, ... of a matrix [N, d] into a tile; rows beyond N become zeros.
  template <int d, int columns>
  static __device__ void load(float (*tile)[columns], int rows, const float* matrix, int first,
                              int N) {
    for (int r = threadIdx.y; r < rows; r += blockDim.y) {
      for (int c = threadIdx.x; c < d; c += blockDim.x) {
        tile[r][c] = first + r < N ? matrix[static_cast<size_t>(first + r) * d + c] : 0.0f;
      }
    }
  }
  /// Behind the loads of tiles, behind P and dS, and before the next loads.
  static __device__ void barrier_after_load() { __syncthreads(); }
  static __device__ void barrier_after_weights() { __syncthreads(); }
  static __device__ void barrier_before_load() { __syncthreads(); }
};

/// One tile of each tensor; P and dS have a row for each query and a column for each key.
template <class Policy, int d>
struct Tiles {
  static constexpr int kRows = Policy::kTile, kPad = Policy::kPad;
  float Q[kRows][d + kPad], dO[kRows][d + kPad], K[kRows][d + kPad], V[kRows][d + kPad];
  float P[kRows][kRows + kPad], dS[kRows][kRows + kPad];
  float L[kRows], D[kRows];
};

/// The tensors of one head.
struct Head {
  const float *Q, *K, *V, *L, *D, *dO;
};

/// The head bh = b * H + h of all tensors.
template <class Policy>
__device__ Head head_of(Head all, int bh, AttentionShape shape) {
  const size_t rows = static_cast<size_t>(bh) * shape.seq_q;
  const size_t kv = static_cast<size_t>(Policy::kv_head(bh, shape)) * shape.seq_k;
  const int d = shape.head_dim;
  return {all.Q + rows * d, all.K + kv * d, all.V + kv * d,
          all.L + rows,     all.D + rows,   all.dO + rows * d};
}

template <class Policy, int d>
__device__ void load_queries(Tiles<Policy, d>& tile, const Head& head, int i0, int Nq) {
  Policy::template load<d>(tile.Q, Policy::kTile, head.Q, i0, Nq);
  Policy::template load<d>(tile.dO, Policy::kTile, head.dO, i0, Nq);
  const int r = threadIdx.y * blockDim.x + threadIdx.x;
  if (r < Policy::kTile) {
    tile.L[r] = i0 + r < Nq ? head.L[i0 + r] : 0.0f;
    tile.D[r] = i0 + r < Nq ? head.D[i0 + r] : 0.0f;
  }
}

template <class Policy, int d>
__device__ void load_keys(Tiles<Policy, d>& tile, const Head& head, int j0, int Nk) {
  Policy::template load<d>(tile.K, Policy::kTile, head.K, j0, Nk);
  Policy::template load<d>(tile.V, Policy::kTile, head.V, j0, Nk);
}

/// P and dS of queries i0, i0 + 1, ... and keys j0, j0 + 1, ...; 0 beyond the end.
template <class Policy, Pass pass, int d>
__device__ void weights(Tiles<Policy, d>& tile, int i0, int j0, AttentionShape shape) {
  for (int i = threadIdx.y; i < Policy::kTile; i += blockDim.y) {
    for (int j = threadIdx.x; j < Policy::kTile; j += blockDim.x) {
      float s = 0.0f, dp = 0.0f;
#pragma unroll 8
      for (int c = 0; c < d; ++c) {
        s += tile.Q[i][c] * tile.K[j][c];
        dp += tile.dO[i][c] * tile.V[j][c];
      }
      const bool exists = i0 + i < shape.seq_q && j0 + j < shape.seq_k;
      const bool seen = !shape.causal || !Policy::template masks<pass>() ||
                        j0 + j <= i0 + i + Policy::offset(shape);
      const float p = exists && seen ? expf(Policy::scale(shape) * s - tile.L[i]) : 0.0f;
      tile.P[i][j] = p;
      tile.dS[i][j] = p * (dp - tile.D[i]);
    }
  }
}

/// Grid (tiles of keys, B H), block (32, 8): thread (tx, ty) owns columns tx, tx + 32, ... of keys
/// ty, ty + 8, ...
template <class Policy, int d>
__global__ void key_gradients(Head all, float* dK, float* dV, AttentionShape shape) {
  extern __shared__ float shared_memory[];
  auto& tile = *reinterpret_cast<Tiles<Policy, d>*>(shared_memory);
  constexpr int kRows = Policy::kTile / 8, kColumns = d / 32;
  const Head head = head_of<Policy>(all, blockIdx.y, shape);
  const int j0 = blockIdx.x * Policy::kTile;
  float dk[kRows][kColumns] = {}, dv[kRows][kColumns] = {};
  load_keys(tile, head, j0, shape.seq_k);
  const int first = shape.causal && Policy::skips() ? max(0, j0 - Policy::offset(shape)) : 0;
  for (int i0 = first / Policy::kTile * Policy::kTile; i0 < shape.seq_q; i0 += Policy::kTile) {
    Policy::barrier_before_load();
    load_queries(tile, head, i0, shape.seq_q);
    Policy::barrier_after_load();
    weights<Policy, Pass::kKeys>(tile, i0, j0, shape);
    Policy::barrier_after_weights();
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
#pragma unroll
      for (int x = 0; x < kColumns; ++x) {
        const int j = threadIdx.y + 8 * r, c = threadIdx.x + 32 * x;
        float dv_sum = dv[r][x], dk_sum = dk[r][x];
#pragma unroll 4
        for (int i = 0; i < Policy::kTile; ++i) {
          dv_sum += Policy::weight_dv(tile, i, j) * tile.dO[i][c];
          dk_sum += Policy::weight_dk(tile, i, j) * tile.Q[i][c];
        }
        dv[r][x] = dv_sum;
        dk[r][x] = dk_sum;
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    const int j = j0 + threadIdx.y + 8 * r;
    const size_t row = (static_cast<size_t>(blockIdx.y) * shape.seq_k + j) * d;
    for (int x = 0; j < shape.seq_k && x < kColumns; ++x) {
      dK[row + threadIdx.x + 32 * x] = Policy::scale_dk(shape) * dk[r][x];
      dV[row + threadIdx.x + 32 * x] = dv[r][x];
    }
  }
}

/// Grid (tiles of queries, B H), block (32, 8): thread (tx, ty) owns columns tx, tx + 32, ... of
/// queries ty, ty + 8, ...
template <class Policy, int d>
__global__ void query_gradients(Head all, float* dQ, AttentionShape shape) {
  extern __shared__ float shared_memory[];
  auto& tile = *reinterpret_cast<Tiles<Policy, d>*>(shared_memory);
  constexpr int kRows = Policy::kTile / 8, kColumns = d / 32;
  const Head head = head_of<Policy>(all, blockIdx.y, shape);
  const int i0 = blockIdx.x * Policy::kTile;
  float dq[kRows][kColumns] = {};
  load_queries(tile, head, i0, shape.seq_q);
  int keys = Policy::keys(shape);
  if (shape.causal && Policy::skips()) {
    keys = min(keys, min(i0 + Policy::kTile, shape.seq_q) + Policy::offset(shape));
  }
  for (int j0 = 0; j0 < keys; j0 += Policy::kTile) {
    Policy::barrier_before_load();
    load_keys(tile, head, j0, shape.seq_k);
    Policy::barrier_after_load();
    weights<Policy, Pass::kQueries>(tile, i0, j0, shape);
    Policy::barrier_after_weights();
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
#pragma unroll
      for (int x = 0; x < kColumns; ++x) {
        float sum = dq[r][x];
#pragma unroll 4
        for (int j = 0; j < Policy::kTile; ++j) {
          sum += tile.dS[threadIdx.y + 8 * r][j] * tile.K[j][threadIdx.x + 32 * x];
        }
        dq[r][x] = sum;
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    const int i = i0 + threadIdx.y + 8 * r;
    const size_t row = (static_cast<size_t>(blockIdx.y) * shape.seq_q + i) * d;
    for (int x = 0; i < shape.seq_q && x < kColumns; ++x) {
      dQ[row + threadIdx.x + 32 * x] = Policy::scale_dq(shape) * dq[r][x];
    }
  }
}

/// D [rows], one warp for each row: grid ceil(rows / 8), block (32, 8).
template <class Policy>
__global__ void row_dot(const float* dO, const float* O, float* D, int rows, int d) {
  const int row = blockIdx.x * 8 + threadIdx.y;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int c = threadIdx.x; c < d; c += 32) {
    const size_t at = static_cast<size_t>(row) * d + c;
    sum += Policy::dot_term(dO[at], O[at]);
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) D[row] = sum;
}

/// Both kernels for one head_dim.
template <class Policy, int d>
cudaError_t launch(const Head& all, float* dQ, float* dK, float* dV, AttentionShape shape,
                   cudaStream_t stream) {
  constexpr int kBytes = sizeof(Tiles<Policy, d>);
  const auto attribute = cudaFuncAttributeMaxDynamicSharedMemorySize;
  cudaFuncSetAttribute(key_gradients<Policy, d>, attribute, kBytes);
  cudaFuncSetAttribute(query_gradients<Policy, d>, attribute, kBytes);
  const unsigned heads = shape.batch * shape.heads;
  const dim3 key_tiles((shape.seq_k + Policy::kTile - 1) / Policy::kTile, heads), block(32, 8);
  const dim3 query_tiles((shape.seq_q + Policy::kTile - 1) / Policy::kTile, heads);
  key_gradients<Policy, d><<<key_tiles, block, kBytes, stream>>>(all, dK, dV, shape);
  query_gradients<Policy, d><<<query_tiles, block, kBytes, stream>>>(all, dQ, shape);
  return cudaGetLastError();
}

/// All but D.
template <class Policy>
cudaError_t gradients(const Head& all, float* dQ, float* dK, float* dV, AttentionShape shape,
                      cudaStream_t stream) {
  const auto launch_for_head_dim = shape.head_dim == 32   ? launch<Policy, 32>
                                   : shape.head_dim == 64 ? launch<Policy, 64>
                                                          : launch<Policy, 128>;
  return launch_for_head_dim(all, dQ, dK, dV, shape, stream);
}

/// D in the workspace, nullptr when it does not fit.
template <class Policy>
float* make_row_dot(const float* O, const float* dO, AttentionShape shape, Workspace& workspace,
                    cudaStream_t stream) {
  const int rows = shape.batch * shape.heads * shape.seq_q;
  float* D = workspace.allocate<float>("D", rows);
  if (D != nullptr) {
    row_dot<Policy><<<(rows + 7) / 8, dim3(32, 8), 0, stream>>>(dO, O, D, rows, shape.head_dim);
  }
  return D;
}

template <class Policy>
cudaError_t backward(const float* Q, const float* K, const float* V, const float* O, const float* L,
                     const float* dO, float* dQ, float* dK, float* dV, AttentionShape shape,
                     Workspace& workspace, cudaStream_t stream) {
  const float* D = make_row_dot<Policy>(O, dO, shape, workspace, stream);
  if (D == nullptr) return cudaErrorMemoryAllocation;
  return gradients<Policy>({Q, K, V, L, D, dO}, dQ, dK, dV, shape, stream);
}

}  // namespace corpus

/// The head of the entry point, for the files that bring their own body.
#define CORPUS_ENTRY_HEAD                                                                      \
  cudaError_t lab5_flash_attention_backward(                                                   \
      [[maybe_unused]] const float* Q, [[maybe_unused]] const float* K,                        \
      [[maybe_unused]] const float* V, [[maybe_unused]] const float* O,                        \
      [[maybe_unused]] const float* L, [[maybe_unused]] const float* dO, float* dQ, float* dK, \
      float* dV, flashlab::AttentionShape shape, flashlab::Workspace& workspace,               \
      cudaStream_t stream)

/// The whole entry point, for the files that bring a policy.
#define CORPUS_ENTRY(Policy)                                                                  \
  CORPUS_ENTRY_HEAD {                                                                         \
    return corpus::backward<Policy>(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace, stream); \
  }
