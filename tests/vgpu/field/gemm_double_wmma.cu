// Double-precision matrix product on tensor cores (WMMA 8 x 8 x 4) beside an ordinary one; whole
// numbers, exact sums.
#include <mma.h>

#include "field.cuh"

using namespace nvcuda;

__global__ void tensor(const double* a, const double* b, double* c, int n) {
  const int warp = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, row = warp / (n / 8) * 8,
            col = warp % (n / 8) * 8;
  wmma::fragment<wmma::matrix_a, 8, 8, 4, double, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 8, 8, 4, double, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 8, 8, 4, double> sum;
  wmma::fill_fragment(sum, 0.0);
  for (int k = 0; k < n; k += 4) {
    wmma::load_matrix_sync(fa, a + row * n + k, n);
    wmma::load_matrix_sync(fb, b + col * n + k, n);
    wmma::mma_sync(sum, fa, fb, sum);
  }
  wmma::store_matrix_sync(c + row * n + col, sum, n, wmma::mem_row_major);
}

__global__ void plain(const double* a, const double* b, double* c, int n) {
  const int col = blockIdx.x * blockDim.x + threadIdx.x,
            row = blockIdx.y * blockDim.y + threadIdx.y;
  double sum = 0;
  for (int k = 0; k < n; ++k) sum = fma(a[row * n + k], b[col * n + k], sum);
  c[row * n + col] = sum;
}

int main() {
  const int n = 64;
  double* a = to_device(random_whole<double>(n * n, -1000000, 1000000, 111));
  double* b = to_device(random_whole<double>(n * n, -1000000, 1000000, 112));
  double* c = device_array<double>(n * n);
  tensor<<<n * n / 64 / 4, 128>>>(a, b, c, n);
  show("tensor cores", c, n * n);
  plain<<<dim3(n / 16, n / 16), dim3(16, 16)>>>(a, b, c, n);
  show("plain", c, n * n);
}
