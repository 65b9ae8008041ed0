// Inclusive prefix sum of integers: inside warps by shuffles, over warps through shared memory,
// over blocks by a second pass.
#include "program.cuh"

constexpr int kThreads = 256;

__global__ void scan_blocks(const int* x, int* prefix, int* totals, int n) {
  __shared__ int warp_totals[kThreads / 32];
  const int i = blockIdx.x * kThreads + threadIdx.x;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int value = i < n ? x[i] : 0;
  for (int step = 1; step < 32; step *= 2) {
    const int left = __shfl_up_sync(0xffffffffu, value, step);
    if (lane >= step) value += left;
  }
  if (lane == 31) warp_totals[warp] = value;
  __syncthreads();  // all warps have given their totals
  for (int w = 0; w < warp; ++w) value += warp_totals[w];
  if (i < n) prefix[i] = value;
  if (threadIdx.x == kThreads - 1) totals[blockIdx.x] = value;
}

__global__ void add_offsets(int* prefix, const int* totals, int n) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  int offset = 0;
  for (int b = 0; b < blockIdx.x; ++b) offset += totals[b];
  if (i < n) prefix[i] += offset;
}

int main() {
  const int n = 3000, blocks = (n + kThreads - 1) / kThreads;
  std::vector<int> x(n), want(n);
  for (int i = 0, sum = 0; i < n; ++i) {
    x[i] = i * 37 % 101 - 40;
    want[i] = sum += x[i];
  }
  DeviceArray<int> dx(x), prefix(n), totals(blocks);
  scan_blocks<<<blocks, kThreads>>>(dx.data(), prefix.data(), totals.data(), n);
  add_offsets<<<blocks, kThreads>>>(prefix.data(), totals.data(), n);
  finish_kernels();
  expect("prefix", prefix.host(), want);
  return verdict();
}
