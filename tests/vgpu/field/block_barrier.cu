// cuda::barrier in shared memory: arrive and wait apart, producer and consumer warps, a completion
// function, memcpy_async bound to it.
#include <cooperative_groups.h>
#include <cuda/barrier>

#include "field.cuh"

namespace cg = cooperative_groups;
using Barrier = cuda::barrier<cuda::thread_scope_block>;

__global__ void split_phases(const int* in, int* out, int steps) {
  __shared__ Barrier barrier;
  __shared__ int data[2][128];
  if (threadIdx.x == 0) init(&barrier, blockDim.x);
  __syncthreads();
  int value = in[blockIdx.x * 128 + threadIdx.x], private_work = 1;
  for (int s = 0; s < steps; ++s) {
    data[s % 2][threadIdx.x] = value;
    auto token = barrier.arrive();
    private_work = private_work * 31 + s;  // nothing that others need
    barrier.wait(std::move(token));
    value += data[s % 2][(threadIdx.x + 37) % 128];
  }
  out[blockIdx.x * 128 + threadIdx.x] = value ^ private_work;
}

__global__ void warp_specialised(const int* in, int* out, int rounds) {
  __shared__ Barrier ready[2], filled[2];
  __shared__ int buffer[2][32];
  if (threadIdx.x < 4) init(threadIdx.x < 2 ? &ready[threadIdx.x] : &filled[threadIdx.x - 2], 64);
  __syncthreads();
  const int lane = threadIdx.x % 32;
  if (threadIdx.x < 32) {
    for (int r = 0; r < rounds; ++r) {
      ready[r % 2].arrive_and_wait();
      buffer[r % 2][lane] = in[r * 32 + lane] * 2;
      (void)filled[r % 2].arrive();
    }
  } else {
    Barrier::arrival_token first = ready[0].arrive(), second = ready[1].arrive();
    (void)first;
    (void)second;
    int sum = 0;
    for (int r = 0; r < rounds; ++r) {
      filled[r % 2].arrive_and_wait();
      sum += buffer[r % 2][31 - lane];
      if (r + 2 < rounds) (void)ready[r % 2].arrive();
    }
    out[lane] = sum;
  }
}

__global__ void with_copy(const int4* in, int* out) {
  __shared__ Barrier barrier;
  __shared__ alignas(16) int4 data[64];
  const auto block = cg::this_thread_block();
  if (block.thread_rank() == 0) init(&barrier, block.size());
  block.sync();
  int sum = 0;
  for (int k = 0; k < 3; ++k) {
    cuda::memcpy_async(block, data, in + 64 * k, cuda::aligned_size_t<16>(sizeof data), barrier);
    barrier.arrive_and_wait();
    const int4 v = data[63 - block.thread_rank()];
    sum += v.x + 2 * v.y + 3 * v.z + 4 * v.w;
    block.sync();
  }
  out[block.thread_rank()] = sum;
}

struct Count {
  int* phases;
  __device__ void operator()() noexcept { ++*phases; }
};

__global__ void completion(int* out) {
  __shared__ int phases;
  __shared__ alignas(cuda::barrier<cuda::thread_scope_block, Count>) char
      storage[sizeof(cuda::barrier<cuda::thread_scope_block, Count>)];
  auto* barrier = reinterpret_cast<cuda::barrier<cuda::thread_scope_block, Count>*>(storage);
  if (threadIdx.x == 0) {
    phases = 0;
    new (barrier) cuda::barrier<cuda::thread_scope_block, Count>(blockDim.x, Count{&phases});
  }
  __syncthreads();
  for (int k = 0; k < 5; ++k) barrier->arrive_and_wait();
  out[threadIdx.x] = phases;
}

__global__ void leaves_early(int* out) {
  __shared__ Barrier barrier;
  if (threadIdx.x == 0) init(&barrier, blockDim.x);
  __syncthreads();
  if (threadIdx.x % 2 == 1) {
    barrier.arrive_and_drop();
    return;
  }
  barrier.arrive_and_wait();
  barrier.arrive_and_wait();
  out[threadIdx.x / 2] = static_cast<int>(threadIdx.x);
}

int main() {
  int* in = to_device(random_ints(1024, -1000, 1000, 281));
  int* out = device_array<int>(512);
  split_phases<<<4, 128>>>(in, out, 9);
  show("split phases", out, 512);
  warp_specialised<<<1, 64>>>(in, out, 12);
  show("warp-specialised", out, 32);
  with_copy<<<1, 64>>>(reinterpret_cast<int4*>(in), out);
  show("with copies", out, 64);
  completion<<<1, 96>>>(out);
  show("completion", out, 96);
  leaves_early<<<1, 64>>>(out);
  show("leaves early", out, 32);
}
