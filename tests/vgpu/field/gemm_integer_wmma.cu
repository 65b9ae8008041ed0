// 8-bit integer matrix products on tensor cores, signed and unsigned, with WMMA and with mma.sync;
// saturating sums.
#include <mma.h>

#include "field.cuh"

using namespace nvcuda;

template <class T, int M, int N>
__global__ void product(const T* a, const T* b, int* c, int m, int n, int k) {
  const int warps = blockDim.x / 32, warp = blockIdx.x * warps + threadIdx.x / 32,
            row = warp / (n / N) * M, col = warp % (n / N) * N;
  if (row >= m) return;
  wmma::fragment<wmma::matrix_a, M, N, 16, T, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, M, N, 16, T, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, M, N, 16, int> sum;
  wmma::fill_fragment(sum, 0);
  for (int i = 0; i < k; i += 16) {
    wmma::load_matrix_sync(fa, a + row * k + i, k);
    wmma::load_matrix_sync(fb, b + col * k + i, k);
    wmma::mma_sync(sum, fa, fb, sum);
  }
  wmma::store_matrix_sync(c + row * n + col, sum, n, wmma::mem_row_major);
}

// One warp: C (16 x 8) = A (16 x 32) B (32 x 8), A by rows and B by columns.
__global__ void mma_m16n8k32(const uint32_t* a, const uint32_t* b, int* c) {
  const int group = threadIdx.x / 4, in_group = threadIdx.x % 4;
  const uint32_t a0 = a[group * 8 + in_group], a1 = a[(group + 8) * 8 + in_group],
                 a2 = a[group * 8 + in_group + 4], a3 = a[(group + 8) * 8 + in_group + 4],
                 b0 = b[group * 8 + in_group], b1 = b[group * 8 + in_group + 4];
  int d0, d1, d2, d3;
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
      "{%8,%9}, {%10,%11,%12,%13};"
      : "=r"(d0), "=r"(d1), "=r"(d2), "=r"(d3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1), "r"(2147483000), "r"(0),
        "r"(-2147483000), "r"(7));
  c[group * 8 + in_group * 2] = d0;
  c[group * 8 + in_group * 2 + 1] = d1;
  c[(group + 8) * 8 + in_group * 2] = d2;
  c[(group + 8) * 8 + in_group * 2 + 1] = d3;
}

__global__ void mma_m8n8k16(const uint32_t* a, const uint32_t* b, int* c) {
  const int group = threadIdx.x / 4, in_group = threadIdx.x % 4;
  int d0, d1;
  asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0,%1}, {%2}, {%3}, {%4,%5};"
               : "=r"(d0), "=r"(d1)
               : "r"(a[group * 4 + in_group]), "r"(b[group * 4 + in_group]), "r"(5), "r"(-5));
  c[group * 8 + in_group * 2] = d0;
  c[group * 8 + in_group * 2 + 1] = d1;
}

int main() {
  const int m = 64, n = 96, k = 128;
  int* c = device_array<int>(m * n);
  signed char* a = to_device(random_whole<signed char>(m * k, -128, 127, 101));
  signed char* b = to_device(random_whole<signed char>(n * k, -128, 127, 102));
  product<signed char, 16, 16><<<6, 128>>>(a, b, c, m, n, k);
  show("signed", c, m * n);
  product<signed char, 32, 8><<<6, 128>>>(a, b, c, m, n, k);
  show("signed, 32 x 8", c, m * n);
  unsigned char* ua = to_device(random_whole<unsigned char>(m * k, 0, 255, 103));
  unsigned char* ub = to_device(random_whole<unsigned char>(n * k, 0, 255, 104));
  product<unsigned char, 16, 16><<<6, 128>>>(ua, ub, c, m, n, k);
  show("unsigned", c, m * n);
  product<unsigned char, 8, 32><<<6, 128>>>(ua, ub, c, m, n, k);
  show("unsigned, 8 x 32", c, m * n);
  mma_m16n8k32<<<1, 32>>>(reinterpret_cast<uint32_t*>(a), reinterpret_cast<uint32_t*>(b), c);
  show("mma.sync m16n8k32, saturating", c, 128);
  mma_m8n8k16<<<1, 32>>>(reinterpret_cast<uint32_t*>(ua), reinterpret_cast<uint32_t*>(b), c);
  show("mma.sync m8n8k16, mixed signs", c, 64);
}
