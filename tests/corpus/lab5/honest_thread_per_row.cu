// One thread for each row of a gradient, the row and its sums in registers; the other side's rows
// pass through shared memory, 32 at a time, and D is worked out where they are loaded.
#include <flashlab/lab5.h>

#include <cmath>

using flashlab::AttentionShape;

constexpr int kThreads = 64, kRows = 32;

/// Rows of two tensors [N, d] that all threads read, with what there is one number per row of.
template <int d>
struct Tile {
  float a[kRows][d], b[kRows][d], L[kRows], D[kRows];

  __device__ void load(const float* tensor_a, const float* tensor_b, int first, int N) {
    __syncthreads();
    for (int e = threadIdx.x; e < kRows * d; e += kThreads) {
      const int row = first + e / d;
      const size_t at = static_cast<size_t>(row) * d + e % d;
      a[e / d][e % d] = row < N ? tensor_a[at] : 0.0f;
      b[e / d][e % d] = row < N ? tensor_b[at] : 0.0f;
    }
    __syncthreads();
  }
};

/// The dot products of two rows with a row of the tile.
template <int d>
__device__ float2 dots(const float (&x)[d], const float (&a)[d], const float (&y)[d],
                       const float (&b)[d]) {
  float2 sums = {0.0f, 0.0f};
#pragma unroll
  for (int c = 0; c < d; ++c) {
    sums.x += x[c] * a[c];
    sums.y += y[c] * b[c];
  }
  return sums;
}

/// Grid (ceil(Nk / 64), B H), block 64.
template <int d>
__global__ void of_keys(const float* Q, const float* K, const float* V, const float* O,
                        const float* L, const float* dO, float* dK, float* dV,
                        AttentionShape shape) {
  __shared__ Tile<d> tile;  // Q and dO
  const int j = blockIdx.x * kThreads + threadIdx.x, Nq = shape.seq_q;
  const size_t queries = static_cast<size_t>(blockIdx.y) * Nq;
  const size_t key = (static_cast<size_t>(blockIdx.y) * shape.seq_k + j) * d;
  const bool exists = j < shape.seq_k;
  float k[d], v[d], dk[d] = {}, dv[d] = {};
#pragma unroll
  for (int c = 0; c < d; ++c) {
    k[c] = exists ? K[key + c] : 0.0f;
    v[c] = exists ? V[key + c] : 0.0f;
  }
  for (int i0 = 0; i0 < Nq; i0 += kRows) {
    tile.load(Q + queries * d, dO + queries * d, i0, Nq);
    if (threadIdx.x < kRows && i0 + threadIdx.x < Nq) {
      const size_t row = queries + i0 + threadIdx.x;
      float D = 0.0f;
      for (int c = 0; c < d; ++c) D += dO[row * d + c] * O[row * d + c];
      tile.D[threadIdx.x] = D;
      tile.L[threadIdx.x] = L[row];
    }
    __syncthreads();
    for (int i = 0; i < kRows && i0 + i < Nq; ++i) {
      if (!exists || (shape.causal && j > i0 + i + shape.seq_k - Nq)) continue;
      const float2 sums = dots<d>(k, tile.a[i], v, tile.b[i]);
      const float p = expf(shape.scale * sums.x - tile.L[i]);
      const float ds = shape.scale * p * (sums.y - tile.D[i]);
#pragma unroll
      for (int c = 0; c < d; ++c) {
        dk[c] += ds * tile.a[i][c];
        dv[c] += p * tile.b[i][c];
      }
    }
  }
#pragma unroll
  for (int c = 0; c < d; ++c) {
    if (exists) dK[key + c] = dk[c];
    if (exists) dV[key + c] = dv[c];
  }
}

/// Grid (ceil(Nq / 64), B H), block 64.
template <int d>
__global__ void of_queries(const float* Q, const float* K, const float* V, const float* O,
                           const float* L, const float* dO, float* dQ, AttentionShape shape) {
  __shared__ Tile<d> tile;  // K and V
  const int i = blockIdx.x * kThreads + threadIdx.x, Nk = shape.seq_k;
  const size_t keys = static_cast<size_t>(blockIdx.y) * Nk;
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + i, query = row * d;
  const bool exists = i < shape.seq_q;
  float q[d], d_o[d], dq[d] = {}, D = 0.0f;
#pragma unroll
  for (int c = 0; c < d; ++c) {
    q[c] = exists ? Q[query + c] : 0.0f;
    d_o[c] = exists ? dO[query + c] : 0.0f;
    if (exists) D += d_o[c] * O[query + c];
  }
  for (int j0 = 0; j0 < Nk; j0 += kRows) {
    tile.load(K + keys * d, V + keys * d, j0, Nk);
    for (int j = 0; j < kRows && j0 + j < Nk; ++j) {
      if (!exists || (shape.causal && j0 + j > i + Nk - shape.seq_q)) continue;
      const float2 sums = dots<d>(q, tile.a[j], d_o, tile.b[j]);
      const float ds = shape.scale * expf(shape.scale * sums.x - L[row]) * (sums.y - D);
#pragma unroll
      for (int c = 0; c < d; ++c) dq[c] += ds * tile.a[j][c];
    }
  }
#pragma unroll
  for (int c = 0; c < d; ++c) {
    if (exists) dQ[query + c] = dq[c];
  }
}

template <int d>
void launch(const float* Q, const float* K, const float* V, const float* O, const float* L,
            const float* dO, float* dQ, float* dK, float* dV, AttentionShape shape,
            cudaStream_t stream) {
  const unsigned heads = shape.batch * shape.heads;
  const dim3 key_blocks((shape.seq_k + kThreads - 1) / kThreads, heads);
  const dim3 query_blocks((shape.seq_q + kThreads - 1) / kThreads, heads);
  of_keys<d><<<key_blocks, kThreads, 0, stream>>>(Q, K, V, O, L, dO, dK, dV, shape);
  of_queries<d><<<query_blocks, kThreads, 0, stream>>>(Q, K, V, O, L, dO, dQ, shape);
}

cudaError_t lab5_flash_attention_backward(const float* Q, const float* K, const float* V,
                                          const float* O, const float* L, const float* dO,
                                          float* dQ, float* dK, float* dV, AttentionShape shape,
                                          flashlab::Workspace&, cudaStream_t stream) {
  const auto launch_for = shape.head_dim == 32   ? launch<32>
                          : shape.head_dim == 64 ? launch<64>
                                                 : launch<128>;
  launch_for(Q, K, V, O, L, dO, dQ, dK, dV, shape, stream);
  return cudaGetLastError();
}
