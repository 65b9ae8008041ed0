// Sum of an array by a tree in shared memory, the five classical steps, as in the reduction sample
// that everybody starts from.
#include "field.cuh"

constexpr int kThreads = 256;

__global__ void interleaved_modulo(const int* in, int* out, int n) {
  __shared__ int sums[kThreads];
  const int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  sums[t] = i < n ? in[i] : 0;
  __syncthreads();
  for (int s = 1; s < blockDim.x; s *= 2) {
    if (t % (2 * s) == 0) sums[t] += sums[t + s];
    __syncthreads();
  }
  if (t == 0) out[blockIdx.x] = sums[0];
}

__global__ void interleaved_strided(const int* in, int* out, int n) {
  extern __shared__ int sums[];
  const int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  sums[t] = i < n ? in[i] : 0;
  __syncthreads();
  for (int s = 1; s < blockDim.x; s *= 2) {
    const int index = 2 * s * t;
    if (index < blockDim.x) sums[index] += sums[index + s];
    __syncthreads();
  }
  if (t == 0) out[blockIdx.x] = sums[0];
}

__global__ void sequential(const int* in, int* out, int n) {
  extern __shared__ int sums[];
  const int t = threadIdx.x, i = blockIdx.x * blockDim.x * 2 + t;
  sums[t] = (i < n ? in[i] : 0) + (i + blockDim.x < n ? in[i + blockDim.x] : 0);
  __syncthreads();
  for (int s = blockDim.x / 2; s > 0; s >>= 1) {
    if (t < s) sums[t] += sums[t + s];
    __syncthreads();
  }
  if (t == 0) out[blockIdx.x] = sums[0];
}

template <int BlockSize>
__device__ void last_warp(volatile int* sums, int t) {
  // The old way, made safe: a warp barrier between the steps.
  int v = sums[t];
  if (BlockSize >= 64) {
    v += sums[t + 32];
    __syncwarp();
    sums[t] = v;
    __syncwarp();
  }
  if (BlockSize >= 32) {
    v += sums[t + 16];
    __syncwarp();
    sums[t] = v;
    __syncwarp();
  }
  v += sums[t + 8];
  __syncwarp();
  sums[t] = v;
  __syncwarp();
  v += sums[t + 4];
  __syncwarp();
  sums[t] = v;
  __syncwarp();
  v += sums[t + 2];
  __syncwarp();
  sums[t] = v;
  __syncwarp();
  v += sums[t + 1];
  __syncwarp();
  sums[t] = v;
  __syncwarp();
}

template <int BlockSize>
__global__ void unrolled(const int* in, int* out, int n) {
  extern __shared__ int sums[];
  const int t = threadIdx.x;
  int i = blockIdx.x * BlockSize * 2 + t;
  const int step = BlockSize * 2 * gridDim.x;
  int sum = 0;
  for (; i < n; i += step) {
    sum += in[i];
    if (i + BlockSize < n) sum += in[i + BlockSize];
  }
  sums[t] = sum;
  __syncthreads();
  if (BlockSize >= 512) {
    if (t < 256) sums[t] += sums[t + 256];
    __syncthreads();
  }
  if (BlockSize >= 256) {
    if (t < 128) sums[t] += sums[t + 128];
    __syncthreads();
  }
  if (BlockSize >= 128) {
    if (t < 64) sums[t] += sums[t + 64];
    __syncthreads();
  }
  if (t < 32) last_warp<BlockSize>(sums, t);
  if (t == 0) out[blockIdx.x] = sums[0];
}

int main() {
  const int n = 100003;
  const int blocks = (n + kThreads - 1) / kThreads;
  int* in = to_device(random_ints(n, -1000, 1000, 1));
  int* out = device_array<int>(blocks);
  const auto total = [&](const char* name, int count) {
    const std::vector<int> sums = to_host(out, count);
    long long sum = 0;
    for (const int s : sums) sum += s;
    std::printf("%s: %lld of %d blocks\n", name, sum, count);
  };
  interleaved_modulo<<<blocks, kThreads>>>(in, out, n);
  total("interleaved, modulo", blocks);
  interleaved_strided<<<blocks, kThreads, kThreads * sizeof(int)>>>(in, out, n);
  total("interleaved, strided", blocks);
  sequential<<<(blocks + 1) / 2, kThreads, kThreads * sizeof(int)>>>(in, out, n);
  total("sequential", (blocks + 1) / 2);
  unrolled<512><<<16, 512, 512 * sizeof(int)>>>(in, out, n);
  total("unrolled 512", 16);
  unrolled<128><<<40, 128, 128 * sizeof(int)>>>(in, out, n);
  total("unrolled 128", 40);
  CHECK(cudaGetLastError());
  CHECK(cudaFree(in));
  CHECK(cudaFree(out));
}
