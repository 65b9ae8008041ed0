// Lab 4, the tuned last step: FlashAttention-2 in float32 at the speed of a good matrix product.
//
// The order of the work is that of the readable form: a block owns Br queries, walks over tiles of
// Bc keys, keeps O in registers and divides once. What changes is who computes what.
//
// A warp owns 32 queries and all keys of the tile, so it never waits for another warp's maximum.
// Lane (tx, ty) of its 8 x 4 lanes holds
//   S  8 queries   x   Bc / 8 keys
//   O  the same    x   d / 8 columns
// in registers, 4 neighbours and the 4 that lie 16 queries, 32 keys or 32 columns further on.
//
//   d = 32, 64   4 warps, Br = 128, Bc = 64, two blocks per SM
//   d = 128      8 warps, Br = 256, Bc = 32, one block: O takes 128 registers, S only 32
//
//   grid       (B H, tiles of queries, splits of the keys); the tiles with most keys come first
//   shared     Q d Br + K d (Bc + 4) + V Bc d + P Bc (Br + 4 warps) floats: 102 KB at d = 64
//   registers  227 at d = 64, 244 at d = 128, no spills
//   bytes      Q and O once, K and V once per Br queries: 8 d N^2 / Br, most of it from L2
//   limit      issue slots: of 100 instructions 89 are multiply-adds, and 78 of 100 slots issue one
//
// What makes it fast, with what it brought on an H200 at B H = 16, N = 4096, d = 128:
//  1. Both products are sums of outer products: a row of x and a row of y, read as float4, feed
//     8 x 8 multiply-adds. So Q, K and P lie transposed in shared memory: K by cp.async of 4 bytes,
//     P by writing it so. To read them along rows, as dot products want it, takes as few loads. But
//     then both factors of a multiply-add come out of registers of the same parity, and the sum out
//     of one of either. A register file has two banks, even and odd, each of which delivers one
//     operand a clock: the profiler's "dispatch stall". Of 100 multiply-adds 55 waited for a clock,
//     now 13. 37.3 -> 42.8 TFLOP/s.
//  2. add_product goes to and fro over the sums, so that each multiply-add shares a factor with the
//     one before it, which the hardware keeps: two operands to fetch, not three. -> 44.1
//  3. The maximum of a row is a base against overflow, not part of the result: an old one will do
//     as long as P stays below 2^8. So most tiles need no reduction over lanes and no rescaling.
//     -> 45.5
//  4. A long loop body lets the compiler load the next factors ahead. -> 46.2
//  5. K and V arrive by cp.async, past the registers: V while S is computed, the next K during
//     O += P V.
// PyTorch's EFFICIENT backend, which computes with tensor cores, reaches 44.8 there. What is left
// at d = 128: S is only 8 x 4 per lane, which waits for loads (0.35 of 2.6 clocks per instruction);
// 8 x 8 needs more shared memory than there is. And 256 blocks fill 132 SMs only 1.94 times.
#include <cuda_pipeline.h>
#include <flashlab/lab4.h>

#include <cmath>

namespace lab4 {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;
inline constexpr int kRows = 8;       // queries per lane
inline constexpr int kWarpRows = 32;  // queries per warp: 8 for each of 4 ty
inline constexpr int kMaxSplits = 32;
inline constexpr float kLog2e = 1.44269504f, kLn2 = 0.693147181f;
inline constexpr float kNoMaximum = -1e38f;  // below every score, and exp2(-infinity - it) is 0
inline constexpr float kSlack = 8.0f;        // P may reach 2^8 before the maximum is raised

__host__ __device__ constexpr int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

template <int d>
struct Config {
  static constexpr int kWarps = d == 128 ? 8 : 4;
  static constexpr int kThreads = kWarps * kWarp;
  static constexpr int kBlocksPerSm = d == 128 ? 1 : 2;
  static constexpr int Br = kWarps * kWarpRows;
  static constexpr int Bc = d == 128 ? 32 : 64;
  static constexpr int kKeys = Bc / 8;               // keys of S per lane
  static constexpr int kQuads = d / 32;              // columns of O per lane, in groups of 4
  static constexpr int kUnroll = d == 128 ? 32 : 8;  // of the loop over columns in S
};

template <int d>
struct Shared {
  float Q[d][Config<d>::Br];      // column, query; times scale * log2(e)
  float K[d][Config<d>::Bc + 4];  // column, key
  float V[Config<d>::Bc][d];
  float P[Config<d>::kWarps][Config<d>::Bc][kWarpRows + 4];  // of each warp: key, query
};

struct Problem {
  int Nq, Nk;
  float scale;
  bool causal;
  int splits;  // the keys are shared out among so many blocks

  // Keys that query i sees are 0, 1, ..., last_key(i). Negative: none.
  __device__ int last_key(int i) const { return causal ? min(Nk - 1, i + Nk - Nq) : Nk - 1; }
};

__device__ float exp2_fast(float x) {  // 2^x to 2 ulp; 0 for -infinity
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// Four floats, 16 bytes aligned.
__device__ void store4(float* to, float a, float b, float c, float e) {
  *reinterpret_cast<float4*>(to) = make_float4(a, b, c, e);
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

// Sum or maximum over the 8 lanes that share ty: they differ in bits 0, 3 and 4.
template <class Operation>
__device__ float over_tx(float x, Operation operation) {
  for (const int bit : {1, 8, 16}) x = operation(x, __shfl_xor_sync(kAllLanes, x, bit));
  return x;
}

// Start the copies of rows [first, first + Bc) of one head's V, and of its K with rows as columns;
// zeros beyond row Nk, since a masked key has P = 0, and 0 times whatever lay there could be NaN.
template <int d>
__device__ void copy_V(float (*tile)[d], const float* V, int first, int Nk) {
  using C = Config<d>;
  constexpr int kPieces = d / 4;  // of 16 bytes, per row
#pragma unroll
  for (int n = 0; n < C::Bc * kPieces / C::kThreads; ++n) {
    const int piece = threadIdx.x + n * C::kThreads;
    const int key = piece / kPieces, c = piece % kPieces * 4;
    const bool inside = first + key < Nk;
    const float* from = V + (inside ? static_cast<size_t>(first + key) * d + c : 0);
    __pipeline_memcpy_async(&tile[key][c], from, 16, inside ? 0 : 16);
  }
  __pipeline_commit();
}

// A warp copies 4 keys x 8 columns at once: whole sectors of memory, and all 32 banks of the tile.
template <int d>
__device__ void copy_K(float (*tile)[Config<d>::Bc + 4], const float* K, int first, int Nk) {
  using C = Config<d>;
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
#pragma unroll
  for (int n = 0; n < C::Bc / 4 / C::kWarps; ++n) {
    const int key = 4 * (warp + n * C::kWarps) + lane / 8, c = lane % 8;
    const bool inside = first + key < Nk;
    const float* from = K + (inside ? static_cast<size_t>(first + key) * d + c : 0);
#pragma unroll
    for (int step = 0; step < d; step += 8) {
      __pipeline_memcpy_async(&tile[c + step][key], from + step, 4, inside ? 0 : 4);
    }
  }
  __pipeline_commit();
}

template <int d>
__global__ void __launch_bounds__(Config<d>::kThreads, Config<d>::kBlocksPerSm)
    forward(const float* Q, const float* K, const float* V, float* O, float* L, Problem problem) {
  using C = Config<d>;
  extern __shared__ float4 shared_memory[];
  Shared<d>& tile = *reinterpret_cast<Shared<d>*>(shared_memory);
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int tx = (lane & 1) | (lane >> 2 & 6), ty = lane >> 1 & 3;
  const size_t bh = blockIdx.x;
  const int i0 = (gridDim.y - 1 - blockIdx.y) * C::Br;  // causal: most keys first
  const int w0 = warp * kWarpRows;                      // the warp's first row in the tile
  const int Nq = problem.Nq, Nk = problem.Nk;
  K += bh * Nk * d;
  V += bh * Nk * d;

  // The keys of this block: its share of the tiles that its last query sees.
  const int tiles = ceil_div(max(0, problem.last_key(min(i0 + C::Br, Nq) - 1) + 1), C::Bc);
  const int share = ceil_div(tiles, problem.splits);
  const int begin = blockIdx.z * share * C::Bc;
  const int end = min(tiles, (static_cast<int>(blockIdx.z) + 1) * share) * C::Bc;
  // Queries at or beyond Nq are computed like the last one, and not stored.
  const int w_end = min(i0 + w0 + kWarpRows, Nq);
  const int warp_sees = i0 + w0 < Nq ? problem.last_key(w_end - 1) : -1;  // the last key of any
  const int all_see = problem.last_key(i0 + w0);                          // the last key of all

  if (begin < end) {
    copy_K<d>(tile.K, K, begin, Nk);
    copy_V<d>(tile.V, V, begin, Nk);
  }
  for (int n = threadIdx.x; n < C::Br * d / 4; n += C::kThreads) {
    const int row = n % C::Br, c = n / C::Br * 4;
    float q[4];
    load<0>(q, Q + (bh * Nq + min(i0 + row, Nq - 1)) * d + c);
    const float factor = problem.scale * kLog2e;  // S in powers of 2: exp(s) = 2^(s log2(e))
    for (int u = 0; u < 4; ++u) tile.Q[c + u][row] = q[u] * factor;
  }
  __pipeline_wait_prior(0);
  __syncthreads();  // Q, the first K and the first V are there

  float o[kRows][C::kQuads * 4] = {}, m[kRows], l[kRows] = {};  // l: of this lane's keys only
#pragma unroll
  for (int r = 0; r < kRows; ++r) m[r] = kNoMaximum;

  for (int j0 = begin; j0 < end; j0 += C::Bc) {
    const bool busy = j0 <= warp_sees;  // else the mask hides the tile from the whole warp
    float s[kRows][C::kKeys] = {};
    if (busy) {
      const float *q_at = &tile.Q[0][w0 + 4 * ty], *k_at = &tile.K[0][4 * tx];
#pragma unroll C::kUnroll
      for (int c = 0; c < d; ++c, q_at += C::Br, k_at += C::Bc + 4) {
        float q[kRows], k[C::kKeys];
        load<16>(q, q_at);
        load<32>(k, k_at);
        add_product(s, q, k);
      }
    }
    __pipeline_wait_prior(0);
    __syncthreads();  // V is there, and nobody needs K any more
    if (j0 + C::Bc < end) copy_K<d>(tile.K, K, j0 + C::Bc, Nk);

    if (busy) {
      if (j0 + C::Bc - 1 > all_see) {  // the tile crosses the diagonal or the end
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          const int last = problem.last_key(i0 + w0 + 4 * ty + r % 4 + r / 4 * 16);
#pragma unroll
          for (int j = 0; j < C::kKeys; ++j) {
            if (j0 + 4 * tx + j % 4 + j / 4 * 32 > last) s[r][j] = -INFINITY;
          }
        }
      }
      float top[kRows];  // the maximum of this lane's keys
      bool grows = false;
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        top[r] = s[r][0];
#pragma unroll
        for (int j = 1; j < C::kKeys; ++j) top[r] = fmaxf(top[r], s[r][j]);
        grows |= top[r] > m[r] + kSlack;
      }
      if (__any_sync(kAllLanes, grows)) {  // in the first tiles, and rarely later
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          const float m_new =
              over_tx(fmaxf(m[r], top[r]), [](float a, float b) { return fmaxf(a, b); });
          const float rescale = exp2_fast(m[r] - m_new);
          m[r] = m_new;
          l[r] *= rescale;
#pragma unroll
          for (int c = 0; c < C::kQuads * 4; ++c) o[r][c] *= rescale;
        }
      }
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
#pragma unroll
        for (int j = 0; j < C::kKeys; ++j) {
          s[r][j] = exp2_fast(s[r][j] - m[r]);  // S becomes P
          l[r] += s[r][j];
        }
      }
#pragma unroll
      for (int j = 0; j < C::kKeys; ++j) {
#pragma unroll
        for (int r = 0; r < kRows; r += 4) {
          store4(&tile.P[warp][4 * tx + j % 4 + j / 4 * 32][4 * ty + 4 * r], s[r][j], s[r + 1][j],
                 s[r + 2][j], s[r + 3][j]);
        }
      }
      __syncwarp();  // P is complete; only this warp reads it
      const float *p_at = &tile.P[warp][0][4 * ty], *v_at = &tile.V[0][4 * tx];
#pragma unroll 8
      for (int j = 0; j < C::Bc; ++j, p_at += kWarpRows + 4, v_at += d) {
        float p[kRows], v[C::kQuads * 4];
        load<16>(p, p_at);
        load<32>(v, v_at);
        add_product(o, p, v);
      }
    }
    __pipeline_wait_prior(0);
    __syncthreads();  // the next K is there, and nobody needs V any more
    if (j0 + C::Bc < end) copy_V<d>(tile.V, V, j0 + C::Bc, Nk);
  }

  // With splits, this block's O and L are one of `splits` parts: [split, bh, query].
  const size_t part = blockIdx.z * static_cast<size_t>(gridDim.x) + bh;
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    const int i = i0 + w0 + 4 * ty + r % 4 + r / 4 * 16;
    const float sum = over_tx(l[r], [](float a, float b) { return a + b; });
    const float factor = sum > 0.0f ? 1.0f / sum : 0.0f;
    if (i >= Nq) continue;
#pragma unroll
    for (int x = 0; x < C::kQuads; ++x) {
      store4(O + (part * Nq + i) * d + 4 * tx + 32 * x, o[r][4 * x] * factor,
             o[r][4 * x + 1] * factor, o[r][4 * x + 2] * factor, o[r][4 * x + 3] * factor);
    }
    if (tx == 0) L[part * Nq + i] = sum > 0.0f ? (m[r] + log2f(sum)) * kLn2 : -INFINITY;
  }
}

// O = sum_s exp(L_s - L) O_s with L = ln sum_s exp(L_s): the parts of all splits, put together.
//   grid, block  one thread per float4 of O [rows, d]
//   bytes        4 (d + 1) per row and split read, 4 (d + 1) per row written
__global__ void combine(const float* O_parts, const float* L_parts, float* O, float* L, int rows,
                        int d, int splits) {
  const size_t n = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t row = n / (d / 4), c = n % (d / 4) * 4;
  if (row >= rows) return;
  float m = -INFINITY;
  for (int s = 0; s < splits; ++s) m = fmaxf(m, L_parts[static_cast<size_t>(s) * rows + row]);
  float sum = 0.0f, o[4] = {};
  for (int s = 0; s < splits && m > -INFINITY; ++s) {
    const size_t part = static_cast<size_t>(s) * rows + row;
    const float weight = expf(L_parts[part] - m);
    float part_o[4];
    load<0>(part_o, O_parts + part * d + c);
    sum += weight;
    for (int x = 0; x < 4; ++x) o[x] += weight * part_o[x];
  }
  const float factor = sum > 0.0f ? 1.0f / sum : 0.0f;
  store4(O + row * d + c, o[0] * factor, o[1] * factor, o[2] * factor, o[3] * factor);
  if (c == 0) L[row] = m + logf(fmaxf(sum, 1.0f));  // the largest part has weight 1
}

// In how many parts to split the keys: the fewest that keep the GPU nearly as busy as any number of
// parts would. `blocks` without a split, `slots` for blocks on the whole GPU. A part has at least
// two tiles, else the parts cost more than they bring.
int choose_splits(int blocks, int slots, int key_tiles) {
  const int most = blocks >= slots ? 1 : max(1, min(kMaxSplits, key_tiles / 2));
  const auto busy = [&](int splits) {
    return static_cast<double>(blocks) * splits / (ceil_div(blocks * splits, slots) * slots);
  };
  double best = 0.0;
  for (int splits = 1; splits <= most; ++splits) best = max(best, busy(splits));
  for (int splits = 1; splits < most; ++splits) {
    if (busy(splits) >= 0.9 * best) return splits;
  }
  return most;
}

template <int d>
cudaError_t launch(const float* Q, const float* K, const float* V, float* O, float* L,
                   const flashlab::AttentionShape& shape, flashlab::Workspace& workspace,
                   cudaStream_t stream) {
  using C = Config<d>;
  constexpr int kBytes = sizeof(Shared<d>);
  int device = 0, processors = 0;
  cudaError_t status =
      cudaFuncSetAttribute(forward<d>, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (status == cudaSuccess) status = cudaGetDevice(&device);
  if (status == cudaSuccess) {
    status = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  }
  if (status != cudaSuccess) return status;

  const int heads = shape.batch * shape.heads, rows = heads * shape.seq_q;
  const int query_tiles = ceil_div(shape.seq_q, C::Br);
  const int splits = choose_splits(heads * query_tiles, processors * C::kBlocksPerSm,
                                   ceil_div(shape.seq_k, C::Bc));
  float *O_parts = O, *L_parts = L;
  if (splits > 1) {
    O_parts = workspace.allocate<float>("O_parts", static_cast<size_t>(splits) * rows * d);
    L_parts = workspace.allocate<float>("L_parts", static_cast<size_t>(splits) * rows);
    if (O_parts == nullptr || L_parts == nullptr) return cudaErrorMemoryAllocation;
  }
  forward<d><<<dim3(heads, query_tiles, splits), C::kThreads, kBytes, stream>>>(
      Q, K, V, O_parts, L_parts,
      Problem{shape.seq_q, shape.seq_k, shape.scale, shape.causal, splits});
  if (splits > 1) {
    constexpr int kThreads = 256;
    combine<<<ceil_div(rows * (d / 4), kThreads), kThreads, 0, stream>>>(O_parts, L_parts, O, L,
                                                                         rows, d, splits);
  }
  return cudaGetLastError();
}

}  // namespace lab4

cudaError_t lab4_flash_attention2(const float* Q, const float* K, const float* V, float* O,
                                  float* L, flashlab::AttentionShape shape,
                                  flashlab::Workspace& workspace, cudaStream_t stream) {
  switch (shape.head_dim) {
    case 32:
      return lab4::launch<32>(Q, K, V, O, L, shape, workspace, stream);
    case 64:
      return lab4::launch<64>(Q, K, V, O, L, shape, workspace, stream);
    case 128:
      return lab4::launch<128>(Q, K, V, O, L, shape, workspace, stream);
    default:
      return cudaErrorInvalidValue;
  }
}
