// C = A B through 16 x 16 shared tiles, with sizes that do not fill the tiles.
#include "program.cuh"

constexpr int kTile = 16;

__global__ void matmul(const float* A, const float* B, float* C, int m, int n, int k) {
  __shared__ float a[kTile][kTile], b[kTile][kTile];
  const int row = blockIdx.y * kTile + threadIdx.y, column = blockIdx.x * kTile + threadIdx.x;
  float sum = 0.0f;
  for (int start = 0; start < k; start += kTile) {
    const int ka = start + threadIdx.x, kb = start + threadIdx.y;
    a[threadIdx.y][threadIdx.x] = row < m && ka < k ? A[row * k + ka] : 0.0f;
    b[threadIdx.y][threadIdx.x] = kb < k && column < n ? B[kb * n + column] : 0.0f;
    __syncthreads();  // both tiles are loaded
    for (int t = 0; t < kTile; ++t) sum += a[threadIdx.y][t] * b[t][threadIdx.x];
    __syncthreads();  // both tiles are used up before the next ones overwrite them
  }
  if (row < m && column < n) C[row * n + column] = sum;
}

int main() {
  const int m = 50, n = 70, k = 45;
  const std::vector<float> A = random_floats(m * k, 9), B = random_floats(k * n, 10);
  DeviceArray<float> dA(A), dB(B), dC(m * n);
  matmul<<<dim3((n + kTile - 1) / kTile, (m + kTile - 1) / kTile), dim3(kTile, kTile)>>>(
      dA.data(), dB.data(), dC.data(), m, n, k);
  finish_kernels();
  std::vector<float> want(m * n);
  for (int r = 0; r < m; ++r) {
    for (int c = 0; c < n; ++c) {
      double sum = 0.0;
      for (int t = 0; t < k; ++t) sum += static_cast<double>(A[r * k + t]) * B[t * n + c];
      want[r * n + c] = static_cast<float>(sum);
    }
  }
  expect("C", dC.host(), want, 1e-5, 1e-5);
  return verdict();
}
