// Tensor-core matrix product with the WMMA interface: half precision with float and half sums, from
// global and from padded shared memory; small whole numbers, so the sums are exact.
#include <cuda_fp16.h>
#include <mma.h>

#include "field.cuh"

using namespace nvcuda;

__global__ void one_tile_per_warp(const half* a, const half* b, float* c, int m, int n, int k,
                                  float alpha, float beta) {
  const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32 * 16,
            col = (blockIdx.y * blockDim.y + threadIdx.y) * 16;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum, old;
  wmma::fill_fragment(sum, 0.0f);
  for (int i = 0; i < k; i += 16) {
    if (row < m && col < n) {
      wmma::load_matrix_sync(fa, a + row * k + i, k);
      wmma::load_matrix_sync(fb, b + col * k + i, k);
      wmma::mma_sync(sum, fa, fb, sum);
    }
  }
  if (row < m && col < n) {
    wmma::load_matrix_sync(old, c + row * n + col, n, wmma::mem_row_major);
    for (int i = 0; i < old.num_elements; ++i) old.x[i] = alpha * sum.x[i] + beta * old.x[i];
    wmma::store_matrix_sync(c + row * n + col, old, n, wmma::mem_row_major);
  }
}

constexpr int kBlock = 64, kSkew = 8;

__global__ void staged(const half* a, const half* b, half* c, int n) {
  __shared__ half as[kBlock][16 + kSkew], bs[16][kBlock + kSkew];
  const int warp = threadIdx.x / 32, wr = warp / 2 * 32, wc = warp % 2 * 32;
  wmma::fragment<wmma::accumulator, 16, 16, 16, half> sum[2][2];
  for (auto& row : sum)
    for (auto& f : row) wmma::fill_fragment(f, __float2half(0.0f));
  for (int k = 0; k < n; k += 16) {
    for (int i = threadIdx.x; i < kBlock * 16; i += blockDim.x) {
      as[i / 16][i % 16] = a[(blockIdx.y * kBlock + i / 16) * n + k + i % 16];
      bs[i / kBlock][i % kBlock] = b[(k + i / kBlock) * n + blockIdx.x * kBlock + i % kBlock];
    }
    __syncthreads();
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa[2];
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> fb[2];
    for (int i = 0; i < 2; ++i) {
      wmma::load_matrix_sync(fa[i], &as[wr + 16 * i][0], 16 + kSkew);
      wmma::load_matrix_sync(fb[i], &bs[0][wc + 16 * i], kBlock + kSkew);
    }
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) wmma::mma_sync(sum[i][j], fa[i], fb[j], sum[i][j]);
    __syncthreads();
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      wmma::store_matrix_sync(
          c + (blockIdx.y * kBlock + wr + 16 * i) * n + blockIdx.x * kBlock + wc + 16 * j,
          sum[i][j], n, wmma::mem_row_major);
}

template <int M, int N>
__global__ void odd_shape(const half* a, const half* b, float* c) {
  wmma::fragment<wmma::matrix_a, M, N, 16, half, wmma::col_major> fa;
  wmma::fragment<wmma::matrix_b, M, N, 16, half, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, M, N, 16, float> sum;
  wmma::fill_fragment(sum, 1.0f);
  wmma::load_matrix_sync(fa, a, M);
  wmma::load_matrix_sync(fb, b, N);
  wmma::mma_sync(sum, fa, fb, sum);
  wmma::store_matrix_sync(c, sum, M, wmma::mem_col_major);
}

template <class T>
std::vector<half> halves(size_t count, int low, int high, T seed) {
  std::vector<half> result;
  for (const int x : random_ints(count, low, high, seed))
    result.push_back(__float2half(static_cast<float>(x)));
  return result;
}

int main() {
  const int n = 192;
  half* a = to_device(halves(n * n, -4, 4, 91u));
  half* b = to_device(halves(n * n, -4, 4, 92u));
  float* c = to_device(random_whole<float>(n * n, -100, 100, 93));
  one_tile_per_warp<<<dim3(n / 64, n / 32), dim3(128, 2)>>>(a, b, c, n, n, n, 2.0f, 0.5f);
  show("one tile per warp", c, n * n);
  half* h = device_array<half>(n * n);
  half* ones = to_device(halves(n * n, -1, 1, 94u));
  staged<<<dim3(n / kBlock, n / kBlock), 128>>>(ones, b, h, n);
  CHECK(cudaDeviceSynchronize());
  std::vector<float> wide;
  for (const half x : to_host(h, n * n)) wide.push_back(__half2float(x));
  show("staged, half sums", wide);
  odd_shape<32, 8><<<1, 32>>>(a, b, c);
  show("32 x 8", c, 256);
  odd_shape<8, 32><<<1, 32>>>(a, b, c);
  show("8 x 32", c, 256);
}
