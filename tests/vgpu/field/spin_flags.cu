// Waiting for flags: warps of a block in a chain, blocks in a chain, a pipeline of blocks through a
// ring in global memory, and a software barrier of the grid (its blocks fit on the device at once).
#include "field.cuh"

__global__ void warp_chain(int* out) {
  __shared__ volatile int turn;
  __shared__ int value;
  if (threadIdx.x == 0) {
    turn = 0;
    value = 1;
  }
  __syncthreads();
  const int warps = blockDim.x / 32, warp = threadIdx.x / 32;
  if (threadIdx.x % 32 == 0) {
    while (turn != warps - 1 - warp) {
    }  // the last warp goes first
    __threadfence_block();
    value = value * 3 + warp;
    out[warp] = value;
    __threadfence_block();
    turn = turn + 1;
  }
}

__global__ void block_chain(volatile int* flags, int* values) {
  if (threadIdx.x == 0 && blockIdx.x > 0) {
    while (flags[blockIdx.x - 1] == 0) {
    }
    __threadfence();
  }
  __syncthreads();
  const int before = blockIdx.x == 0 ? 7 : values[(blockIdx.x - 1) * 64 + (threadIdx.x + 1) % 64];
  values[blockIdx.x * 64 + threadIdx.x] = before * 5 % 10007 + static_cast<int>(threadIdx.x);
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) flags[blockIdx.x] = 1;
}

__global__ void ring(int* slots, volatile unsigned* written, volatile unsigned* taken, int* out,
                     int count) {
  constexpr unsigned kSlots = 4;
  for (unsigned k = 0; k < static_cast<unsigned>(count); ++k) {
    if (blockIdx.x == 0) {
      if (threadIdx.x == 0)
        while (k - *taken >= kSlots) {
        }
      __syncthreads();
      slots[(k % kSlots) * 32 + threadIdx.x] = static_cast<int>(k * k + threadIdx.x);
      __threadfence();
      __syncthreads();
      if (threadIdx.x == 0) *written = k + 1;
    } else {
      if (threadIdx.x == 0)
        while (*written <= k) {
        }
      __syncthreads();
      __threadfence();
      out[threadIdx.x] =
          out[threadIdx.x] * 3 + *(volatile int*)&slots[(k % kSlots) * 32 + threadIdx.x];
      __syncthreads();
      if (threadIdx.x == 0) *taken = k + 1;
    }
  }
}

__device__ unsigned arrived;

__device__ void grid_barrier(unsigned round) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(&arrived, 1);
    while (*(volatile unsigned*)&arrived < round * gridDim.x) {
    }
    __threadfence();
  }
  __syncthreads();
}

__global__ void own_barrier(int* a, int* b, int n, int rounds) {
  for (int r = 1; r <= rounds; ++r) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
      b[i] = (*(volatile int*)&a[(i + 1) % n] + *(volatile int*)&a[(i + n - 1) % n]) % 1009;
    grid_barrier(static_cast<unsigned>(r));
    int* const t = a;
    a = b;
    b = t;
  }
}

int main() {
  int* out = to_device(std::vector<int>(64, 0));
  warp_chain<<<1, 256>>>(out);
  show("warps", out, 8);
  const int blocks = 40;
  int* flags = to_device(std::vector<int>(blocks, 0));
  int* values = device_array<int>(blocks * 64);
  block_chain<<<blocks, 64>>>(flags, values);
  show("blocks", values, blocks * 64);
  int* slots = device_array<int>(128);
  unsigned* counters = to_device(std::vector<unsigned>{0, 0});
  CHECK(cudaMemset(out, 0, 64 * sizeof(int)));
  ring<<<2, 32>>>(slots, counters, counters + 1, out, 30);
  show("ring", out, 32);
  const int n = 2000;
  int* a = to_device(random_ints(n, 0, 1000, 481));
  int* b = device_array<int>(n);
  own_barrier<<<10, 64>>>(a, b, n, 8);
  show("own barrier", a, n);
}
