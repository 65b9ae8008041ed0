// Correct kernels that use shared memory in unusual ways: no check may report anything about them.
#include <cstdio>

#include <cuda_runtime.h>

constexpr int kThreads = 128;

__global__ void early_return_then_barrier(int* out) {
  __shared__ int tile[kThreads];
  if (threadIdx.x >= 100) return;
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = tile[99 - threadIdx.x];
}

__global__ void warp_reduction(int* out) {
  __shared__ int tile[kThreads];
  const int lane = threadIdx.x % 32, base = threadIdx.x - lane;
  tile[threadIdx.x] = threadIdx.x;
  __syncwarp();
  for (int step = 16; step > 0; step /= 2) {
    const int other = lane < step ? tile[base + lane + step] : 0;
    __syncwarp();
    if (lane < step) tile[base + lane] += other;
    __syncwarp();
  }
  out[threadIdx.x] = tile[base];
}

__global__ void double_buffer(int* out) {
  __shared__ int tile[2][kThreads];
  int sum = 0;
  tile[0][threadIdx.x] = threadIdx.x;
  __syncthreads();
  for (int round = 0; round < 4; ++round) {
    if (round < 3) tile[(round + 1) % 2][threadIdx.x] = round + threadIdx.x;
    sum += tile[round % 2][kThreads - 1 - threadIdx.x];
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

// Warps 0 and 1 fill, warps 2 and 3 use; two named barriers hand the buffer back and forth.
__global__ void producer_and_consumer(int* out) {
  __shared__ int box[64];
  for (int round = 0; round < 3; ++round) {
    if (threadIdx.x < 64) {
      if (round > 0) asm volatile("bar.sync 2, 128;" ::: "memory");
      box[threadIdx.x] = round + threadIdx.x;
      asm volatile("bar.arrive 1, 128;" ::: "memory");
    } else {
      asm volatile("bar.sync 1, 128;" ::: "memory");
      out[threadIdx.x] = box[127 - threadIdx.x];
      if (round < 2) asm volatile("bar.arrive 2, 128;" ::: "memory");
    }
  }
}

__global__ void padded_transpose(int* out) {
  __shared__ int tile[32][33];
  for (int row = threadIdx.x / 32; row < 32; row += kThreads / 32)
    tile[row][threadIdx.x % 32] = row;
  __syncthreads();
  for (int row = threadIdx.x / 32; row < 32; row += kThreads / 32)
    out[row * 32 + threadIdx.x % 32] = tile[threadIdx.x % 32][row];
}

__global__ void histogram(int* out) {
  __shared__ int bins[16];
  if (threadIdx.x < 16) bins[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bins[threadIdx.x * 7 % 16], 1);
  __syncthreads();
  if (threadIdx.x < 16) out[threadIdx.x] = bins[threadIdx.x];
}

__global__ void block_scan(int* out) {
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = 1;
  __syncthreads();
  for (int step = 1; step < kThreads; step *= 2) {
    const int other = threadIdx.x >= step ? tile[threadIdx.x - step] : 0;
    __syncthreads();
    tile[threadIdx.x] += other;
    __syncthreads();
  }
  out[threadIdx.x] = tile[threadIdx.x];
}

__global__ void own_bytes(char* out) {
  __shared__ char tile[kThreads];
  tile[threadIdx.x] = static_cast<char>(threadIdx.x);
  tile[threadIdx.x] = static_cast<char>(tile[threadIdx.x] + 1);
  out[threadIdx.x] = tile[threadIdx.x];
}

__global__ void counted_barrier(int* out) {
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 5;
  const int positive = __syncthreads_count(threadIdx.x < 10);
  out[threadIdx.x] = positive + flag;
}

__global__ void broadcast_then_replace(int* out) {
  __shared__ int value;
  if (threadIdx.x == 0) value = 1;
  __syncthreads();
  const int seen = value;
  __syncthreads();
  if (threadIdx.x == 7) value = seen + 1;
  __syncthreads();
  out[threadIdx.x] = value;
}

__global__ void warps_own_slices(int* out) {
  __shared__ int tile[4][32];
  int* mine = tile[threadIdx.x / 32];
  for (int round = 0; round < 3; ++round) {
    mine[threadIdx.x % 32] = round;
    __syncwarp();
    out[threadIdx.x] = mine[31 - threadIdx.x % 32];
    __syncwarp();
  }
}

int main() {
  int* out = nullptr;
  cudaMalloc(&out, 8192);
  early_return_then_barrier<<<2, kThreads>>>(out);
  warp_reduction<<<2, kThreads>>>(out);
  double_buffer<<<2, kThreads>>>(out);
  producer_and_consumer<<<2, kThreads>>>(out);
  padded_transpose<<<1, kThreads>>>(out);
  histogram<<<2, kThreads>>>(out);
  block_scan<<<2, kThreads>>>(out);
  own_bytes<<<2, kThreads>>>(reinterpret_cast<char*>(out));
  counted_barrier<<<2, kThreads>>>(out);
  broadcast_then_replace<<<2, kThreads>>>(out);
  warps_own_slices<<<2, kThreads>>>(out);
  const cudaError_t status = cudaDeviceSynchronize();
  std::printf("%s\n", cudaGetErrorString(status));
  return status == cudaSuccess ? 0 : 1;
}
