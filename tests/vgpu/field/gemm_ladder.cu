// Single-precision matrix product, step by step: naive, coalesced, tiled, register-blocked in one
// and two dimensions, vectorised, and double-buffered with cp.async. The matrices hold small whole
// numbers, so every order of summation gives the same.
#include <cuda_pipeline.h>

#include "field.cuh"

__global__ void naive(const float* a, const float* b, float* c, int n) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x,
            col = blockIdx.y * blockDim.y + threadIdx.y;
  float sum = 0;
  for (int k = 0; k < n; ++k) sum += a[row * n + k] * b[k * n + col];
  c[row * n + col] = sum;
}

__global__ void coalesced(const float* a, const float* b, float* c, int n) {
  const int row = blockIdx.x * 16 + threadIdx.x / 16, col = blockIdx.y * 16 + threadIdx.x % 16;
  float sum = 0;
  for (int k = 0; k < n; ++k) sum += a[row * n + k] * b[k * n + col];
  c[row * n + col] = sum;
}

template <int Tile>
__global__ void tiled(const float* a, const float* b, float* c, int n) {
  __shared__ float as[Tile][Tile], bs[Tile][Tile];
  const int tx = threadIdx.x, ty = threadIdx.y, row = blockIdx.y * Tile + ty,
            col = blockIdx.x * Tile + tx;
  float sum = 0;
  for (int t = 0; t < n; t += Tile) {
    as[ty][tx] = a[row * n + t + tx];
    bs[ty][tx] = b[(t + ty) * n + col];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < Tile; ++k) sum += as[ty][k] * bs[k][tx];
    __syncthreads();
  }
  c[row * n + col] = sum;
}

template <int BM, int BN, int BK, int TM>
__global__ void blocked_1d(const float* a, const float* b, float* c, int n) {
  __shared__ float as[BM * BK], bs[BK * BN];
  const int col = threadIdx.x % BN, row = threadIdx.x / BN;
  a += blockIdx.y * BM * n;
  b += blockIdx.x * BN;
  c += blockIdx.y * BM * n + blockIdx.x * BN;
  float results[TM] = {};
  for (int t = 0; t < n; t += BK) {
    as[threadIdx.x] = a[threadIdx.x / BK * n + threadIdx.x % BK];
    bs[threadIdx.x] = b[threadIdx.x / BN * n + threadIdx.x % BN];
    __syncthreads();
    a += BK;
    b += BK * n;
    for (int k = 0; k < BK; ++k) {
      const float value = bs[k * BN + col];
      for (int i = 0; i < TM; ++i) results[i] += as[(row * TM + i) * BK + k] * value;
    }
    __syncthreads();
  }
  for (int i = 0; i < TM; ++i) c[(row * TM + i) * n + col] = results[i];
}

template <int BM, int BN, int BK, int TM, int TN>
__global__ void __launch_bounds__(BM* BN / (TM * TN))
    vectorised_2d(const float* a, const float* b, float* c, int n) {
  __shared__ float as[BK][BM], bs[BK][BN];
  constexpr int kThreads = BM * BN / (TM * TN);
  const int tc = threadIdx.x % (BN / TN), tr = threadIdx.x / (BN / TN);
  float results[TM][TN] = {}, ra[TM], rb[TN];
  for (int t = 0; t < n; t += BK) {
    for (int i = threadIdx.x; i < BM * BK / 4; i += kThreads) {
      const int row = i / (BK / 4), k = i % (BK / 4) * 4;
      const float4 v = *reinterpret_cast<const float4*>(&a[(blockIdx.y * BM + row) * n + t + k]);
      as[k][row] = v.x;
      as[k + 1][row] = v.y;
      as[k + 2][row] = v.z;
      as[k + 3][row] = v.w;
    }
    for (int i = threadIdx.x; i < BK * BN / 4; i += kThreads) {
      const int row = i / (BN / 4), col = i % (BN / 4) * 4;
      *reinterpret_cast<float4*>(&bs[row][col]) =
          *reinterpret_cast<const float4*>(&b[(t + row) * n + blockIdx.x * BN + col]);
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < BK; ++k) {
#pragma unroll
      for (int i = 0; i < TM; ++i) ra[i] = as[k][tr * TM + i];
#pragma unroll
      for (int j = 0; j < TN; ++j) rb[j] = bs[k][tc * TN + j];
#pragma unroll
      for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) results[i][j] += ra[i] * rb[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < TM; ++i)
    for (int j = 0; j < TN; j += 4)
      *reinterpret_cast<float4*>(
          &c[(blockIdx.y * BM + tr * TM + i) * n + blockIdx.x * BN + tc * TN + j]) =
          make_float4(results[i][j], results[i][j + 1], results[i][j + 2], results[i][j + 3]);
}

template <int BM, int BN, int BK, int TM, int TN>
__global__ void double_buffered(const float* a, const float* b, float* c, int n) {
  __shared__ alignas(16) float as[2][BM][BK], bs[2][BK][BN];
  constexpr int kThreads = BM * BN / (TM * TN);
  const int tc = threadIdx.x % (BN / TN), tr = threadIdx.x / (BN / TN);
  const auto fetch = [&](int stage, int t) {
    for (int i = threadIdx.x; i < BM * BK / 4; i += kThreads) {
      const int row = i / (BK / 4), k = i % (BK / 4) * 4;
      __pipeline_memcpy_async(&as[stage][row][k], &a[(blockIdx.y * BM + row) * n + t + k], 16);
    }
    for (int i = threadIdx.x; i < BK * BN / 4; i += kThreads) {
      const int row = i / (BN / 4), col = i % (BN / 4) * 4;
      __pipeline_memcpy_async(&bs[stage][row][col], &b[(t + row) * n + blockIdx.x * BN + col], 16);
    }
    __pipeline_commit();
  };
  float results[TM][TN] = {};
  fetch(0, 0);
  for (int t = 0, stage = 0; t < n; t += BK, stage ^= 1) {
    if (t + BK < n) fetch(stage ^ 1, t + BK);
    if (t + BK < n)
      __pipeline_wait_prior(1);
    else
      __pipeline_wait_prior(0);
    __syncthreads();
    for (int k = 0; k < BK; ++k)
      for (int i = 0; i < TM; ++i)
        for (int j = 0; j < TN; ++j)
          results[i][j] += as[stage][tr * TM + i][k] * bs[stage][k][tc * TN + j];
    __syncthreads();
  }
  for (int i = 0; i < TM; ++i)
    for (int j = 0; j < TN; ++j)
      c[(blockIdx.y * BM + tr * TM + i) * n + blockIdx.x * BN + tc * TN + j] = results[i][j];
}

int main() {
  const int n = 256;
  float* a = to_device(random_whole<float>(n * n, -8, 8, 81));
  float* b = to_device(random_whole<float>(n * n, -8, 8, 82));
  float* c = device_array<float>(n * n);
  naive<<<dim3(n / 16, n / 16), dim3(16, 16)>>>(a, b, c, n);
  show("naive", c, n * n);
  coalesced<<<dim3(n / 16, n / 16), 256>>>(a, b, c, n);
  show("coalesced", c, n * n);
  tiled<16><<<dim3(n / 16, n / 16), dim3(16, 16)>>>(a, b, c, n);
  show("tiled 16", c, n * n);
  tiled<32><<<dim3(n / 32, n / 32), dim3(32, 32)>>>(a, b, c, n);
  show("tiled 32", c, n * n);
  blocked_1d<64, 64, 8, 8><<<dim3(n / 64, n / 64), 512>>>(a, b, c, n);
  show("blocked in one dimension", c, n * n);
  vectorised_2d<64, 64, 8, 8, 4><<<dim3(n / 64, n / 64), 128>>>(a, b, c, n);
  show("blocked in two dimensions, vectorised", c, n * n);
  double_buffered<64, 64, 8, 4, 4><<<dim3(n / 64, n / 64), 256>>>(a, b, c, n);
  show("double-buffered", c, n * n);
}
