// Layer normalisation (two passes and Welford's) and RMS normalisation, forward, with
// half-precision output for the last. Square roots and divisions round as IEEE says; the program
// prints rounded values because sums may be contracted.
#include <cuda_fp16.h>

#include "field.cuh"

__device__ float warp_sum(float v) {
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffff, v, d);
  return v;
}

__global__ void two_pass(const float* x, const float* gamma, const float* beta, float* y,
                         int cols) {
  const float* row = x + blockIdx.x * cols;
  float sum = 0;
  for (int i = threadIdx.x; i < cols; i += 32) sum += row[i];
  const float mean = warp_sum(sum) / cols;
  float squares = 0;
  for (int i = threadIdx.x; i < cols; i += 32) squares += (row[i] - mean) * (row[i] - mean);
  const float scale = 1.0f / sqrtf(warp_sum(squares) / cols + 1e-5f);
  for (int i = threadIdx.x; i < cols; i += 32)
    y[blockIdx.x * cols + i] = (row[i] - mean) * scale * gamma[i] + beta[i];
}

struct Moments {
  float n, mean, m2;
};

__device__ Moments combine(Moments a, Moments b) {
  const float n = a.n + b.n;
  if (n == 0) return a;
  const float delta = b.mean - a.mean;
  return {n, a.mean + delta * b.n / n, a.m2 + b.m2 + delta * delta * a.n * b.n / n};
}

__global__ void welford(const float* x, const float* gamma, const float* beta, float* y, int cols) {
  extern __shared__ Moments shared[];
  const float* row = x + blockIdx.x * cols;
  Moments m{};
  for (int i = threadIdx.x; i < cols; i += blockDim.x) {
    m.n += 1;
    const float delta = row[i] - m.mean;
    m.mean += delta / m.n;
    m.m2 += delta * (row[i] - m.mean);
  }
  shared[threadIdx.x] = m;
  for (int s = blockDim.x / 2; s > 0; s /= 2) {
    __syncthreads();
    if (threadIdx.x < s)
      shared[threadIdx.x] = combine(shared[threadIdx.x], shared[threadIdx.x + s]);
  }
  __syncthreads();
  m = shared[0];
  const float scale = rsqrtf(m.m2 / m.n + 1e-5f);
  for (int i = threadIdx.x; i < cols; i += blockDim.x)
    y[blockIdx.x * cols + i] = (row[i] - m.mean) * scale * gamma[i] + beta[i];
}

__global__ void rms(const float* x, const float* gamma, __half* y, int cols) {
  __shared__ float partial[4], scale;
  const float* row = x + blockIdx.x * cols;
  float squares = 0;
  for (int i = threadIdx.x; i < cols; i += blockDim.x) squares = fmaf(row[i], row[i], squares);
  squares = warp_sum(squares);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = squares;
  __syncthreads();
  if (threadIdx.x == 0)
    scale = rsqrtf((partial[0] + partial[1] + partial[2] + partial[3]) / cols + 1e-6f);
  __syncthreads();
  for (int i = threadIdx.x; i < cols; i += blockDim.x)
    y[blockIdx.x * cols + i] = __float2half_rn(row[i] * scale * gamma[i]);
}

int main() {
  const int rows = 24, cols = 768;
  float* x = to_device(random_floats(rows * cols, 141));
  float* gamma = to_device(random_floats(cols, 142));
  float* beta = to_device(random_floats(cols, 143));
  float* y = device_array<float>(rows * cols);
  const auto print = [&](const char* name) {
    CHECK(cudaDeviceSynchronize());
    const std::vector<float> v = to_host(y, rows * cols);
    std::printf("%s:", name);
    for (int r = 0; r < rows; r += 5)
      std::printf(" %.3f %.3f", v[r * cols + r], v[(r + 1) * cols - 1]);
    std::printf("\n");
  };
  two_pass<<<rows, 32>>>(x, gamma, beta, y, cols);
  print("two passes");
  welford<<<rows, 128, 128 * sizeof(Moments)>>>(x, gamma, beta, y, cols);
  print("Welford");
  __half* h = device_array<__half>(rows * cols);
  rms<<<rows, 128>>>(x, gamma, h, cols);
  CHECK(cudaDeviceSynchronize());
  const std::vector<__half> v = to_host(h, rows * cols);
  for (int r = 0; r < rows; r += 5) std::printf("rms %.2f\n", __half2float(v[r * cols + r]));
}
