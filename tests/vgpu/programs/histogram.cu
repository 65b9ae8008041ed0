// Atomics: histograms in global and in shared memory, and each other integer atomic once.
#include "program.cuh"

constexpr int kBins = 37;

__global__ void histogram_global(const int* values, unsigned* bins, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(&bins[values[i]], 1u);
}

__global__ void histogram_shared(const int* values, unsigned* bins, int n) {
  __shared__ unsigned local[kBins];
  for (int b = threadIdx.x; b < kBins; b += blockDim.x) local[b] = 0;
  __syncthreads();  // all counters are zero before the first is raised
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(&local[values[i]], 1u);
  __syncthreads();  // all counts are in before they leave
  for (int b = threadIdx.x; b < kBins; b += blockDim.x) atomicAdd(&bins[b], local[b]);
}

__global__ void other_atomics(const int* values, int* out, float* sum, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  atomicMin(&out[0], values[i]);
  atomicMax(&out[1], values[i]);
  atomicOr(&out[2], 1 << (values[i] % 31));
  atomicAnd(&out[3], ~(1 << (values[i] % 7)));
  atomicXor(&out[4], values[i]);
  atomicSub(&out[5], values[i]);
  atomicCAS(&out[6], 0, 99);
  atomicExch(&out[7], 5);
  atomicAdd(sum, static_cast<float>(values[i]));
  out[16 + i] = atomicAdd(&out[8], 1);  // a ticket: every number from 0 to n - 1 once
}

int main() {
  const int n = 1000, grid = (n + 127) / 128;
  std::vector<int> values(n);
  std::vector<unsigned> want(kBins, 0);
  unsigned state = 8;
  for (int& v : values) {
    state = state * 1664525u + 1013904223u;
    v = (state >> 16) % kBins;
    ++want[v];
  }
  DeviceArray<int> dv(values);
  DeviceArray<unsigned> global(std::vector<unsigned>(kBins, 0)),
      shared(std::vector<unsigned>(kBins, 0));
  histogram_global<<<grid, 128>>>(dv.data(), global.data(), n);
  histogram_shared<<<grid, 128>>>(dv.data(), shared.data(), n);

  std::vector<int> start(16 + n, 0);
  start[0] = 1000, start[1] = -1, start[3] = -1;
  DeviceArray<int> out(start);
  DeviceArray<float> sum(std::vector<float>{0.5f});
  other_atomics<<<grid, 128>>>(dv.data(), out.data(), sum.data(), n);
  finish_kernels();

  expect("global histogram", global.host(), want);
  expect("shared histogram", shared.host(), want);
  std::vector<int> expected = {1000, -1, 0, -1, 0, 0, 99, 5, n};
  int total = 0;
  for (const int v : values) {
    expected[0] = std::min(expected[0], v);
    expected[1] = std::max(expected[1], v);
    expected[2] |= 1 << (v % 31);
    expected[3] &= ~(1 << (v % 7));
    expected[4] ^= v;
    expected[5] -= v;
    total += v;
  }
  const std::vector<int> got = out.host();
  expect("atomics", std::vector<int>(got.begin(), got.begin() + 9), expected);
  expect("float sum", sum.host()[0], 0.5f + total);
  std::vector<int> seen(n, 0);
  for (int i = 0; i < n; ++i) {
    if (got[16 + i] >= 0 && got[16 + i] < n) ++seen[got[16 + i]];
  }
  expect("tickets", seen, std::vector<int>(n, 1));
  return verdict();
}
