// Lab 5, the tuned last step: the gradients in 5 products of matrices instead of 7.
//
//   S = scale Q K^T,  P = exp(S - L),  dP = dO V^T,  dS = P o (dP - D)
//   dV = P^T dO       dK = scale dS^T Q              dQ = scale dS K
//
// One kernel computes P and dS once. A block owns Bc keys, walks over tiles of Br queries, and
// keeps its dK and dV in registers. Its part of dQ it adds to memory with atomicAdd, which the base
// form avoids by a second kernel: the parts of dQ come in any order, so its last bits may differ
// from run to run.
//
// Two groups of four warps share the work. The products come in pairs of the same shape, so both
// groups run the same code on other tensors:
//
//   first group    S  = Q K^T    P to shared memory     dV += P^T dO
//   second group   dP = dO V^T   dS to shared memory    dK += dS^T Q      then both: dQ = dS K
//
// The register tiles, the order of lanes and add_product are those of the tuned lab 4, which
// explains them: 8 x 8 results per lane, 16 loads of float4 for 256 multiply-adds.
//
//   d = 32, 64   Br = 64, Bc = 128     S, dP and dV, dK 8 x 8, dQ 8 x 4 (d = 32: dV, dK 8 x 4)
//   d = 128      Br = 64, Bc = 64      dV, dK 8 x 8, S, dP and dQ 8 x 4
//
//   grid       (B H, tiles of keys); block 256, one per SM
//   shared     (2 Br + 2 Bc) (d + 4) + 2 Br (Bc + 8) + Bc (Br + 4) + 2 Br floats: 209 KB at d = 64
//   registers  254, no spills
//   bytes      K, V, dK, dV once; Q, dO and the atomics on dQ once per tile of keys: 12 d N^2 / Bc
//   limit      issue slots: of 100 instructions 87 are multiply-adds, and 73 of 100 slots issue
//   one.
//              In S and dP, whose factors are both read along rows, every second multiply-add waits
//              for a register bank; there is no room for Q, dO, K and V in both orders.
//   heads      with B H * tiles of keys < 132 blocks most of the GPU idles: one head of 4096
//   queries
//              takes 1.0 ms, PyTorch's unfused MATH backend 0.37 ms
//
// Two things beside the register tiles brought most, measured at N = 4096, d = 64 on an H200:
//  1. dS is stored twice: by query for dK, by key for dQ. So both, and dV, are sums of outer
//     products (37.1 -> 38.4 TFLOP/s).
//  2. A tile of dQ passes through shared memory, so that the 32 lanes of a warp add to 32
//     neighbours: 4 sectors for each atomicAdd instead of 16 (38.4 -> 42.4 TFLOP/s).
#include <cuda_pipeline.h>
#include <flashlab/lab5.h>

#include <cmath>

namespace lab5 {

inline constexpr int kWarp = 32;
inline constexpr int kThreads = 256;
inline constexpr int kRows = 8;  // rows of every register tile
inline constexpr float kLog2e = 1.44269504f;

__host__ __device__ constexpr int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

template <int d>
struct Config {
  static constexpr int Br = 64;
  static constexpr int Bc = d == 128 ? 64 : 128;
  static constexpr int kStride = d + 4;      // of rows of Q, dO, K and V, in floats
  static constexpr int kStrideP = Bc + 8;    // of rows of P and dS
  static constexpr int kKeys = Bc / 16;      // columns of S and dP per lane: 2 warps side by side
  static constexpr int kKeyWarps = Bc / 32;  // of a group, for dV and dK
  static constexpr int kQuads = d == 32 ? 1 : 2;          // columns of dV and dK per lane, by 4
  static constexpr int kQueryTiles = Br / 32 * (d / 32);  // tiles of 32 x 32 of dQ, one per warp
  static constexpr int kKeyParts = 8 / kQueryTiles;       // warps that share a tile of dQ
};

template <int d>
struct Shared {
  using C = Config<d>;
  float X[2][C::Br][C::kStride];   // Q and dO
  float Y[2][C::Bc][C::kStride];   // K and V, in the order of `place`
  float W[2][C::Br][C::kStrideP];  // P and dS: query, key
  float dS_T[C::Bc][C::Br + 4];    // key in the order of `place`; of 32 queries, 8 of each ty
  float rows[2][C::Br];            // L and D
};

struct Problem {
  int Nq, Nk;
  float scale;
  bool causal;

  // Keys that query i sees are 0, 1, ..., last_key(i). Negative: none.
  __device__ int last_key(int i) const { return causal ? min(Nk - 1, i + Nk - Nq) : Nk - 1; }
};

__device__ float exp2_fast(float x) {  // 2^x to 2 ulp
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// to = kCount floats: 4 neighbours, 16 bytes aligned, the next 4 kStep further on, ...
template <int kStep, int kCount>
__device__ void load(float (&to)[kCount], const float* from) {
#pragma unroll
  for (int n = 0; n < kCount / 4; ++n) {
    const float4 x = *reinterpret_cast<const float4*>(from + n * kStep);
    to[4 * n] = x.x, to[4 * n + 1] = x.y, to[4 * n + 2] = x.z, to[4 * n + 3] = x.w;
  }
}

// Four floats times `factor`, 16 bytes aligned.
__device__ void store4(float* to, const float* from, float factor = 1.0f) {
  *reinterpret_cast<float4*>(to) =
      make_float4(factor * from[0], factor * from[1], factor * from[2], factor * from[3]);
}

// Where the tile of K or V holds a key: the 4 neighbours that one lane has of S lie 8 rows apart.
__device__ int place(int key) {
  return (key / 4 & 7) + 8 * (key & 3) + (key & ~31);
}

// Starts the copy of rows [first, first + kTileRows) of one head [rows, d]; zeros beyond its end.
template <int d, int kTileRows, class Place>
__device__ void copy_tile(float* tile, const float* head, int first, int rows, Place place_of) {
  constexpr int kPieces = d / 4;  // of 16 bytes, per row
#pragma unroll
  for (int n = 0; n < kTileRows * kPieces / kThreads; ++n) {
    const int piece = threadIdx.x + n * kThreads;
    const int row = piece / kPieces, c = piece % kPieces * 4;
    const bool inside = first + row < rows;
    const float* from = head + (inside ? static_cast<size_t>(first + row) * d + c : 0);
    __pipeline_memcpy_async(tile + place_of(row) * Config<d>::kStride + c, from, 16,
                            inside ? 0 : 16);
  }
}

// sums[r][j] = X[ty + 4 r, :] . Y[tx + 8 j, :]  for this lane's rows of the tiles X and Y
template <int d, int kColumns>
__device__ void multiply_rows(float (&sums)[kRows][kColumns], const float* X, const float* Y) {
  constexpr int kStride = Config<d>::kStride;
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
#pragma unroll
    for (int j = 0; j < kColumns; ++j) sums[r][j] = 0.0f;
  }
#pragma unroll 4
  for (int c = 0; c < d; c += 4) {
    float x[kRows][4];
#pragma unroll
    for (int r = 0; r < kRows; ++r) load<0>(x[r], X + 4 * r * kStride + c);
#pragma unroll
    for (int j = 0; j < kColumns; ++j) {
      float y[4];
      load<0>(y, Y + 8 * j * kStride + c);
#pragma unroll
      for (int u = 0; u < 4; ++u) {
#pragma unroll
        for (int r = 0; r < kRows; ++r) sums[r][j] += x[r][u] * y[u];
      }
    }
  }
}

// sums += x y^T, so that each multiply-add shares a factor with the one before it. The longer side
// is the outer loop.
template <int kColumns>
__device__ void add_product(float (&sums)[kRows][kColumns], const float (&x)[kRows],
                            const float (&y)[kColumns]) {
  if constexpr (kColumns < kRows) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
#pragma unroll
      for (int n = 0; n < kColumns; ++n) {
        const int c = r % 2 == 0 ? n : kColumns - 1 - n;
        sums[r][c] += x[r] * y[c];
      }
    }
  } else {
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
#pragma unroll
      for (int n = 0; n < kRows; ++n) {
        const int r = c % 2 == 0 ? n : kRows - 1 - n;
        sums[r][c] += x[r] * y[c];
      }
    }
  }
}

// sums[k][c] += sum_i W[i, 4 ty + k] X[i, 4 tx + c]  over the Br rows of W and X; k = 4 ... 7 and
// c = 4 ... 7 lie 16 and 32 columns further on
template <int d>
__device__ void multiply_transposed(float (&sums)[kRows][Config<d>::kQuads * 4], const float* W,
                                    const float* X) {
  using C = Config<d>;
#pragma unroll 16
  for (int i = 0; i < C::Br; ++i, W += C::kStrideP, X += C::kStride) {
    float w[kRows], x[C::kQuads * 4];
    load<16>(w, W);
    load<32>(x, X);
    add_product(sums, w, x);
  }
}

// sums[r][c] += sum_j W[j, 8 ty + r] Y[j, 4 tx + c]  over `keys` rows of W and Y
template <int d>
__device__ void multiply_by_keys(float (&sums)[kRows][4], const float* W, const float* Y,
                                 int keys) {
  using C = Config<d>;
#pragma unroll 16
  for (int j = 0; j < keys; ++j, W += C::Br + 4, Y += C::kStride) {
    float w[kRows], y[4];
    load<4>(w, W);
    load<0>(y, Y);
    add_product(sums, w, y);
  }
}

template <int d>
__global__ void __launch_bounds__(kThreads, 1)
    backward(const float* Q, const float* K, const float* V, const float* L, const float* D,
             const float* dO, float* dQ, float* dK, float* dV, Problem problem) {
  using C = Config<d>;
  extern __shared__ float4 shared_memory[];
  Shared<d>& tile = *reinterpret_cast<Shared<d>*>(shared_memory);
  const int lane = threadIdx.x % kWarp, all_warps = threadIdx.x / kWarp;
  const int group = all_warps / 4, warp = all_warps % 4;  // group 0: S, P, dV; 1: dP, dS, dK
  const int tx = (lane & 1) | (lane >> 2 & 6), ty = lane >> 1 & 3;
  const size_t bh = blockIdx.x;
  const int j0 = blockIdx.y * C::Bc, Nq = problem.Nq, Nk = problem.Nk;
  Q += bh * Nq * d, dO += bh * Nq * d, dQ += bh * Nq * d;
  L += bh * Nq, D += bh * Nq;

  const auto in_order = [](int row) { return row; };
  const auto load_queries = [&](int i0) {
    copy_tile<d, C::Br>(tile.X[0][0], Q, i0, Nq, in_order);
    copy_tile<d, C::Br>(tile.X[1][0], dO, i0, Nq, in_order);
    if (threadIdx.x < 2 * C::Br) {
      const int row = threadIdx.x % C::Br;
      const bool inside = i0 + row < Nq;
      const float* from = threadIdx.x < C::Br ? L : D;
      __pipeline_memcpy_async(&tile.rows[0][threadIdx.x], from + (inside ? i0 + row : 0), 4,
                              inside ? 0 : 4);
    }
    __pipeline_commit();
  };
  const int first_query = problem.causal ? max(0, j0 - (Nk - Nq)) / C::Br * C::Br : 0;
  copy_tile<d, C::Bc>(tile.Y[0][0], K + bh * Nk * d, j0, Nk, place);
  copy_tile<d, C::Bc>(tile.Y[1][0], V + bh * Nk * d, j0, Nk, place);
  if (first_query < Nq) load_queries(first_query);
  __pipeline_wait_prior(0);
  __syncthreads();  // K and V and the first Q, dO, L and D are there

  // Where this lane's register tiles begin, in S or dP: query and key; in dV or dK: key and column.
  const int query = warp % 2 * 32 + ty, key = warp / 2 * (C::Bc / 2);
  const int own_key = warp % C::kKeyWarps * 32 + 4 * ty;
  const int own_column = warp / C::kKeyWarps * 64 + 4 * tx;
  // In dQ: query, column and the keys that this warp adds up.
  const int dq_tile = all_warps % C::kQueryTiles, dq_keys = C::Bc / C::kKeyParts;
  const int dq_query = dq_tile % 2 * 32 + ty, dq_column = dq_tile / 2 * 32 + 4 * tx;
  const int dq_key = all_warps / C::kQueryTiles * dq_keys;

  float sums[kRows][C::kQuads * 4] = {};  // dV or dK
  for (int i0 = first_query; i0 < Nq; i0 += C::Br) {
    float s[kRows][C::kKeys];  // S or dP, then P or dS
    multiply_rows<d>(s, &tile.X[group][query][0], &tile.Y[group][key + tx][0]);
    if (group == 0) {
      const bool whole = j0 + C::Bc - 1 <= problem.last_key(i0);  // no query's mask is in the tile
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const float L2 = tile.rows[0][query + 4 * r] * kLog2e;
        const int last = problem.last_key(i0 + query + 4 * r);
#pragma unroll
        for (int j = 0; j < C::kKeys; ++j) {
          const bool seen = whole || j0 + key + 4 * tx + j % 4 + j / 4 * 32 <= last;
          s[r][j] = seen ? exp2_fast(s[r][j] * (problem.scale * kLog2e) - L2) : 0.0f;
        }
#pragma unroll
        for (int j = 0; j < C::kKeys; j += 4) {
          store4(&tile.W[0][query + 4 * r][key + 4 * tx + 8 * j], &s[r][j]);
        }
      }
    }
    __syncthreads();  // P is complete
    if (group == 1) {
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const float row_D = tile.rows[1][query + 4 * r];
#pragma unroll
        for (int j = 0; j < C::kKeys; j += 4) {
          float p[4];
          load<0>(p, &tile.W[0][query + 4 * r][key + 4 * tx + 8 * j]);
#pragma unroll
          for (int u = 0; u < 4; ++u) s[r][j + u] = p[u] * (s[r][j + u] - row_D);
          store4(&tile.W[1][query + 4 * r][key + 4 * tx + 8 * j], &s[r][j]);
        }
      }
#pragma unroll
      for (int j = 0; j < C::kKeys; ++j) {
#pragma unroll
        for (int r = 0; r < kRows; r += 4) {
          const float column[4] = {s[r][j], s[r + 1][j], s[r + 2][j], s[r + 3][j]};
          store4(&tile.dS_T[key + tx + 8 * j][query - ty + 8 * ty + r], column);
        }
      }
      // dS is complete; only this group reads it before the next barrier of all. Barrier 1, of 128.
      asm volatile("bar.sync 1, 128;" ::: "memory");
    }
    multiply_transposed<d>(sums, &tile.W[group][0][own_key], &tile.X[1 - group][0][own_column]);
    __syncthreads();  // dS is complete for both groups, and nobody needs Q, dO, L and D any more
    if (i0 + C::Br < Nq) load_queries(i0 + C::Br);

    float dq[kRows][4] = {};
    multiply_by_keys<d>(dq, &tile.dS_T[dq_key][dq_query - ty + 8 * ty],
                        &tile.Y[0][dq_key][dq_column], dq_keys);
    // This warp's part of dQ, in what P and dS no longer need.
    float(*part)[kWarp + 4] = reinterpret_cast<float(*)[kWarp + 4]>(tile.W) + all_warps * kWarp;
#pragma unroll
    for (int r = 0; r < kRows; ++r) store4(&part[ty + 4 * r][4 * tx], dq[r], problem.scale);
    __syncwarp();  // the part is complete; only this warp reads it
    float* to = dQ + static_cast<size_t>(i0 + dq_query - ty) * d + dq_column - 4 * tx + lane;
    const int count = min(kWarp, Nq - (i0 + dq_query - ty));
#pragma unroll 8
    for (int row = 0; row < count; ++row) atomicAdd(to + row * d, part[row][lane]);
    __pipeline_wait_prior(0);
    __syncthreads();  // the next Q, dO, L and D are there, and nobody needs P and dS any more
  }

  float* gradient = (group == 0 ? dV : dK) + bh * Nk * d;
  const float factor = group == 0 ? 1.0f : problem.scale;
#pragma unroll
  for (int k = 0; k < kRows; ++k) {
    const int j = j0 + own_key + k % 4 + k / 4 * 16;
    if (j >= Nk) continue;
#pragma unroll
    for (int q = 0; q < C::kQuads; ++q) {
      store4(gradient + static_cast<size_t>(j) * d + own_column + 32 * q, &sums[k][4 * q], factor);
    }
  }
}

// D[row] = sum_c dO[row, c] O[row, c]
//   grid    ceil(rows / 8), block (32, 8): one warp per row
//   bytes   8 d per row read, 4 written, all coalesced
__global__ void row_dot(const float* dO, const float* O, float* D, int rows, int d) {
  const int row = blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;  // the whole warp leaves, so the shuffles below always see 32 lanes
  float sum = 0.0f;
  for (int c = threadIdx.x; c < d; c += kWarp) {
    sum += dO[static_cast<size_t>(row) * d + c] * O[static_cast<size_t>(row) * d + c];
  }
  for (int step = kWarp / 2; step > 0; step /= 2) {
    sum += __shfl_xor_sync(0xffffffffu, sum, step);
  }
  if (threadIdx.x == 0) D[row] = sum;
}

template <int d>
cudaError_t launch(const float* Q, const float* K, const float* V, const float* O, const float* L,
                   const float* dO, float* dQ, float* dK, float* dV,
                   const flashlab::AttentionShape& shape, flashlab::Workspace& workspace,
                   cudaStream_t stream) {
  using C = Config<d>;
  const int heads = shape.batch * shape.heads, rows = heads * shape.seq_q;
  float* D = workspace.allocate<float>("D", rows);
  if (D == nullptr) return cudaErrorMemoryAllocation;
  constexpr int kBytes = sizeof(Shared<d>);
  cudaError_t status =
      cudaFuncSetAttribute(backward<d>, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (status == cudaSuccess) {  // the atomics add to it
    status = cudaMemsetAsync(dQ, 0, static_cast<size_t>(rows) * d * sizeof(float), stream);
  }
  if (status != cudaSuccess) return status;
  row_dot<<<ceil_div(rows, 8), dim3(kWarp, 8), 0, stream>>>(dO, O, D, rows, d);
  backward<d><<<dim3(heads, ceil_div(shape.seq_k, C::Bc)), kThreads, kBytes, stream>>>(
      Q, K, V, L, D, dO, dQ, dK, dV, Problem{shape.seq_q, shape.seq_k, shape.scale, shape.causal});
  return cudaGetLastError();
}

}  // namespace lab5

cudaError_t lab5_flash_attention_backward(const float* Q, const float* K, const float* V,
                                          const float* O, const float* L, const float* dO,
                                          float* dQ, float* dK, float* dV,
                                          flashlab::AttentionShape shape,
                                          flashlab::Workspace& workspace, cudaStream_t stream) {
  switch (shape.head_dim) {
    case 32:
      return lab5::launch<32>(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace, stream);
    case 64:
      return lab5::launch<64>(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace, stream);
    case 128:
      return lab5::launch<128>(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace, stream);
    default:
      return cudaErrorInvalidValue;
  }
}
