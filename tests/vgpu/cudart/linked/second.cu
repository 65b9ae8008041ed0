#include <cstdio>

#include "shared.cuh"

__managed__ int managed_there = 5;
__constant__ float scale;
static __device__ int own = 2;
namespace {
__global__ void unnamed(float* out) {
  *out = static_cast<float>(own);
}
}  // namespace

static __device__ int plus_own(int x) {
  return x + own;
}
__device__ int (*pointer)(int) = plus_own;

__device__ int value_of(const Base* base) {
  return base->value();
}
__device__ __noinline__ float times_two(float x) {
  return 2 * x;
}
__global__ void defined_in_second(float* out) {
  *out = table[3] * scale;
}

static __global__ void own_kernel(float* out) {
  __shared__ float tile[32];
  extern __shared__ float dynamic[];
  tile[threadIdx.x] = 1000;
  dynamic[threadIdx.x] = static_cast<float>(managed_here);
  __syncthreads();
  if (threadIdx.x == 0) {
    *out = tile[31] + dynamic[31] + static_cast<float>(next_number());
    std::printf("%s\n", "second says so");
  }
}

void run_own_kernel(float* out) {
  own_kernel<<<1, 32, 128>>>(out);
}
void run_unnamed(float* out) {
  unnamed<<<1, 1>>>(out);
}
void run_same_in_both(float* out) {
  same_in_both<float><<<1, 32>>>(out);
}
