// Histograms: global atomics, one in shared memory, one per warp in shared memory, one per thread
// in bytes, and aggregated by match.
#include "field.cuh"

constexpr int kBins = 256;

__global__ void global_atomics(const unsigned char* in, unsigned* bins, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&bins[in[i]], 1u);
}

__global__ void shared_atomics(const uchar4* in, unsigned* bins, int n4) {
  __shared__ unsigned local[kBins];
  for (int b = threadIdx.x; b < kBins; b += blockDim.x) local[b] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n4; i += gridDim.x * blockDim.x) {
    const uchar4 v = in[i];
    atomicAdd(&local[v.x], 1u);
    atomicAdd(&local[v.y], 1u);
    atomicAdd(&local[v.z], 1u);
    atomicAdd(&local[v.w], 1u);
  }
  __syncthreads();
  for (int b = threadIdx.x; b < kBins; b += blockDim.x) atomicAdd(&bins[b], local[b]);
}

__global__ void per_warp(const unsigned* in, unsigned* bins, int n4) {
  __shared__ unsigned local[4][kBins];
  unsigned* mine = local[threadIdx.x / 32];
  for (int b = threadIdx.x % 32; b < kBins; b += 32) mine[b] = 0;
  __syncwarp();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n4; i += gridDim.x * blockDim.x)
    for (unsigned v = in[i], k = 0; k < 4; ++k, v >>= 8) atomicAdd(&mine[v & 255], 1u);
  __syncthreads();
  for (int b = threadIdx.x; b < kBins; b += blockDim.x)
    atomicAdd(&bins[b], local[0][b] + local[1][b] + local[2][b] + local[3][b]);
}

__global__ void per_thread_64_bins(const unsigned char* in, unsigned* bins, int n) {
  extern __shared__ unsigned char counts[];  // 64 bins of blockDim.x bytes
  for (int i = threadIdx.x; i < 64 * blockDim.x / 4; i += blockDim.x)
    reinterpret_cast<unsigned*>(counts)[i] = 0;
  __syncthreads();
  int done = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n && done < 255;
       i += gridDim.x * blockDim.x, ++done)
    ++counts[(in[i] >> 2) * blockDim.x + threadIdx.x];
  __syncthreads();
  if (threadIdx.x < 64) {
    unsigned sum = 0;
    for (int t = 0; t < blockDim.x; ++t)
      sum += counts[threadIdx.x * blockDim.x + (t + threadIdx.x) % blockDim.x];
    atomicAdd(&bins[threadIdx.x], sum);
  }
}

__global__ void aggregated(const unsigned char* in, unsigned* bins, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    const unsigned value = in[i] & 15, peers = __match_any_sync(__activemask(), value);
    if (__ffs(peers) - 1 == threadIdx.x % 32)
      atomicAdd(&bins[value], static_cast<unsigned>(__popc(peers)));
  }
}

int main() {
  const int n = 1 << 17;
  std::vector<unsigned char> data;
  for (const int x : random_ints(n, 0, 65535, 151))
    data.push_back(static_cast<unsigned char>((x & 255) * (x >> 8) >> 8));
  unsigned char* in = to_device(data);
  unsigned* bins = device_array<unsigned>(kBins);
  const auto clear = [&] { CHECK(cudaMemset(bins, 0, kBins * sizeof(unsigned))); };
  clear();
  global_atomics<<<40, 256>>>(in, bins, n);
  show("global", bins, kBins);
  clear();
  shared_atomics<<<40, 256>>>(reinterpret_cast<uchar4*>(in), bins, n / 4);
  show("shared", bins, kBins);
  clear();
  per_warp<<<40, 128>>>(reinterpret_cast<unsigned*>(in), bins, n / 4);
  show("per warp", bins, kBins);
  clear();
  per_thread_64_bins<<<16, 64, 64 * 64>>>(in, bins, n);
  show("per thread", bins, 64);
  clear();
  aggregated<<<40, 256>>>(in, bins, n);
  show("aggregated", bins, 16);
}
