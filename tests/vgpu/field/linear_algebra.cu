// Factorisations and iterations in double precision: blocked Cholesky, LU with pivoting by one
// block, Jacobi, power iteration. Every sum has a fixed order, square roots and divisions round as
// IEEE says, nothing is contracted.

// nvcc: -fmad=false

#include "field.cuh"

__global__ void cholesky(double* a, int n) {  // one block, in place, lower triangle
  for (int k = 0; k < n; ++k) {
    if (threadIdx.x == 0) a[k * n + k] = sqrt(a[k * n + k]);
    __syncthreads();
    for (int i = k + 1 + threadIdx.x; i < n; i += blockDim.x) a[i * n + k] /= a[k * n + k];
    __syncthreads();
    for (int t = threadIdx.x; t < (n - k - 1) * (n - k - 1); t += blockDim.x) {
      const int i = k + 1 + t / (n - k - 1), j = k + 1 + t % (n - k - 1);
      if (j <= i) a[i * n + j] -= a[i * n + k] * a[j * n + k];
    }
    __syncthreads();
  }
}

__global__ void lu(double* a, int* pivots, int n) {  // one block of one warp for each matrix
  double* m = a + blockIdx.x * n * n;
  const int lane = threadIdx.x;
  for (int k = 0; k < n; ++k) {
    double best = -1;
    int row = -1;
    for (int i = k + lane; i < n; i += 32)
      if (fabs(m[i * n + k]) > best) best = fabs(m[i * n + k]), row = i;
    for (int d = 16; d > 0; d /= 2) {
      const double other = __shfl_xor_sync(0xffffffff, best, d);
      const int other_row = __shfl_xor_sync(0xffffffff, row, d);
      if (other > best || (other == best && other_row < row)) best = other, row = other_row;
    }
    if (lane == 0) pivots[blockIdx.x * n + k] = row;
    for (int j = lane; j < n; j += 32) {
      const double t = m[k * n + j];
      m[k * n + j] = m[row * n + j];
      m[row * n + j] = t;
    }
    __syncwarp();
    for (int i = k + 1; i < n; ++i) {
      const double factor = m[i * n + k] / m[k * n + k];
      __syncwarp();
      for (int j = k + lane; j < n; j += 32)
        m[i * n + j] = j == k ? factor : m[i * n + j] - factor * m[k * n + j];
    }
    __syncwarp();
  }
}

__global__ void jacobi(const double* a, const double* b, const double* x, double* next, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double sum = b[i];
  for (int j = 0; j < n; ++j)
    if (j != i) sum -= a[i * n + j] * x[j];
  next[i] = sum / a[i * n + i];
}

__global__ void power_step(const double* a, const double* x, double* y, double* norm,
                           int n) {  // one block
  __shared__ double partial[128];
  double squares = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += a[i * n + j] * x[j];
    y[i] = sum;
    squares += sum * sum;
  }
  partial[threadIdx.x] = squares;
  for (int s = blockDim.x / 2; s > 0; s /= 2) {
    __syncthreads();
    if (threadIdx.x < s) partial[threadIdx.x] += partial[threadIdx.x + s];
  }
  __syncthreads();
  const double length = sqrt(partial[0]);
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] /= length;
  if (threadIdx.x == 0) *norm = length;
}

int main() {
  const int n = 48;
  std::vector<double> spd(n * n);
  const std::vector<int> r = random_ints(n * n, -9, 9, 531);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      spd[i * n + j] = r[min(i, j) * n + max(i, j)] + (i == j ? 10.0 * n : 0.0);
  double* a = to_device(spd);
  cholesky<<<1, 128>>>(a, n);
  std::vector<double> factor = to_host(a, n * n);
  for (int i = 0; i < n; ++i)
    for (int j = i + 1; j < n; ++j) factor[i * n + j] = 0;
  show("Cholesky", factor);

  const int matrices = 5, m = 40;
  double* batch = to_device(random_whole<double>(matrices * m * m, -99, 99, 532));
  int* pivots = device_array<int>(matrices * m);
  lu<<<matrices, 32>>>(batch, pivots, m);
  show("LU", batch, matrices * m * m);
  show("pivots", pivots, matrices * m);

  a = to_device(spd);
  double* b = to_device(random_whole<double>(n, -999, 999, 533));
  double* x = to_device(std::vector<double>(n, 0));
  double* next = device_array<double>(n);
  for (int k = 0; k < 30; ++k) {
    jacobi<<<1, 64>>>(a, b, x, next, n);
    std::swap(x, next);
  }
  show("Jacobi", x, n);
  double* norm = device_array<double>(1);
  CHECK(cudaMemcpy(x, b, n * sizeof(double), cudaMemcpyDeviceToDevice));
  for (int k = 0; k < 25; ++k) {
    power_step<<<1, 128>>>(a, x, next, norm, n);
    std::swap(x, next);
  }
  show("power iteration", norm, 1);
}
