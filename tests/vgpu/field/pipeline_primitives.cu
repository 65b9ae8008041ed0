// __pipeline_memcpy_async in 4, 8 and 16 bytes with zero fill, a ring of stages;
// cooperative_groups::memcpy_async and wait.
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cuda_pipeline.h>
#include <cuda/barrier>

#include "field.cuh"

namespace cg = cooperative_groups;

template <class T, int Stages>
__global__ void ring(const T* in, T* out, int tiles, int n) {
  __shared__ T buffer[Stages][64];
  const auto fetch = [&](int tile) {
    const int i = tile * 64 + threadIdx.x;
    // Elements behind the end become zeros.
    const size_t absent = i < n ? 0 : sizeof(T);
    if (tile < tiles)
      __pipeline_memcpy_async(&buffer[tile % Stages][threadIdx.x], &in[i < n ? i : 0], sizeof(T),
                              absent);
    __pipeline_commit();
  };
  for (int s = 0; s < Stages - 1; ++s) fetch(s);
  for (int tile = 0; tile < tiles; ++tile) {
    fetch(tile + Stages - 1);
    __pipeline_wait_prior(Stages - 1);
    __syncthreads();
    out[tile * 64 + threadIdx.x] = buffer[tile % Stages][threadIdx.x ^ 21];
    __syncthreads();
  }
}

__global__ void group_copies(const int* in, int* out, int n) {
  __shared__ alignas(16) int buffer[1024];
  const auto block = cg::this_thread_block();
  long long sum = 0;
  for (int first = 0; first < n; first += 1024) {
    const int count = min(1024, n - first);
    cg::memcpy_async(block, buffer, in + first, sizeof(int) * count);
    cg::wait(block);
    for (int i = block.thread_rank(); i < count; i += block.size()) sum += buffer[i] * (i + 1ll);
    block.sync();
  }
  out[block.thread_rank()] = static_cast<int>(sum % 1000003);
}

__global__ void two_in_flight(const float* in, float* out) {
  __shared__ alignas(16) float a[256], b[256];
  const auto block = cg::this_thread_block();
  cg::memcpy_async(block, a, in, cuda::aligned_size_t<16>(sizeof a));
  cg::memcpy_async(block, b, in + 256, cuda::aligned_size_t<16>(sizeof b));
  cg::wait_prior<1>(block);
  float v = a[255 - block.thread_rank()];
  cg::wait(block);
  out[block.thread_rank()] = v + b[block.thread_rank()];
}

int main() {
  const int n = 1000, tiles = (n + 63) / 64;
  int* in = to_device(random_ints(4 * n, -100000, 100000, 271));
  int* out = device_array<int>(4 * tiles * 64);
  ring<int, 2><<<1, 64>>>(in, out, tiles, n);
  show("4 bytes", out, tiles * 64);
  ring<int2, 3><<<1, 64>>>(reinterpret_cast<int2*>(in), reinterpret_cast<int2*>(out), tiles, n);
  show("8 bytes", out, 2 * tiles * 64);
  ring<int4, 4><<<1, 64>>>(reinterpret_cast<int4*>(in), reinterpret_cast<int4*>(out), tiles, n);
  show("16 bytes", out, 4 * tiles * 64);
  group_copies<<<1, 96>>>(in, out, 3 * n);
  show("memcpy_async of a group", out, 96);
  float* numbers = to_device(random_whole<float>(512, -100, 100, 272));
  float* sums = device_array<float>(256);
  two_in_flight<<<1, 256>>>(numbers, sums);
  show("two in flight", sums, 256);
}
