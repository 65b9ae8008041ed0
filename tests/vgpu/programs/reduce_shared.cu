// Sum and maximum of each block's part by a tree in shared memory.
#include "program.cuh"

constexpr int kThreads = 128;

__global__ void reduce(const float* x, float* sums, float* maxima, int n) {
  __shared__ float sum[kThreads];
  __shared__ float maximum[kThreads];
  const int t = threadIdx.x;
  const int i = blockIdx.x * kThreads + t;
  sum[t] = i < n ? x[i] : 0.0f;
  maximum[t] = i < n ? x[i] : -INFINITY;
  __syncthreads();  // every thread's value is there before a neighbour reads it
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) {
      sum[t] += sum[t + half];
      maximum[t] = fmaxf(maximum[t], maximum[t + half]);
    }
    __syncthreads();  // this level is done before the next one reads it
  }
  if (t == 0) {
    sums[blockIdx.x] = sum[0];
    maxima[blockIdx.x] = maximum[0];
  }
}

int main() {
  const int n = 1000, blocks = (n + kThreads - 1) / kThreads;
  const std::vector<float> x = random_floats(n, 5);
  DeviceArray<float> dx(x), sums(blocks), maxima(blocks);
  reduce<<<blocks, kThreads>>>(dx.data(), sums.data(), maxima.data(), n);
  finish_kernels();
  std::vector<float> want_sum(blocks, 0.0f), want_max(blocks, -INFINITY);
  for (int i = 0; i < n; ++i) {
    want_sum[i / kThreads] += x[i];
    want_max[i / kThreads] = std::fmax(want_max[i / kThreads], x[i]);
  }
  expect("sum", sums.host(), want_sum, 0.0, 1e-5);
  expect("max", maxima.host(), want_max);
  return verdict();
}
