// Kernels with one mistake each. The first argument names the kernel to run. A comment `BUG name:
// kind` stands on the line that the check must report; test_checks.py reads them.
#include <cstdio>
#include <cstring>

#include <cuda_runtime.h>

__global__ void missing_barrier_across_warps(int* out) {
  __shared__ int tile[64];
  tile[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG missing_barrier_across_warps: race
}

__global__ void missing_barrier_before_reuse(int* out) {
  __shared__ int tile[64];
  int sum = 0;
  for (int round = 0; round < 3; ++round) {
    tile[threadIdx.x] = round + threadIdx.x;  // BUG missing_barrier_before_reuse: race
    __syncthreads();
    sum += tile[(threadIdx.x + 32) % 64];
  }
  out[threadIdx.x] = sum;
}

__global__ void missing_syncwarp(int* out) {
  __shared__ int tile[32];
  tile[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = tile[31 - threadIdx.x];  // BUG missing_syncwarp: race
}

__global__ void reduction_without_barrier(int* out) {
  __shared__ int tile[128];
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (threadIdx.x < step)
      tile[threadIdx.x] += tile[threadIdx.x + step];  // BUG reduction_without_barrier: race
  }
  if (threadIdx.x == 0) out[0] = tile[0];
}

__global__ void everyone_writes_the_sum(int* out) {
  __shared__ int total;
  total = threadIdx.x;  // BUG everyone_writes_the_sum: race
  __syncthreads();
  out[threadIdx.x] = total;
}

__global__ void plain_beside_atomic(int* out) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  atomicAdd(&total, 1);  // BUG plain_beside_atomic: race
  __syncthreads();
  out[threadIdx.x] = total;
}

__global__ void wrong_named_barrier(int* out) {
  __shared__ int tile[64];
  tile[threadIdx.x] = threadIdx.x;
  if (threadIdx.x < 32) {
    asm volatile("bar.sync 1, 32;" ::: "memory");
  } else {
    asm volatile("bar.sync 2, 32;" ::: "memory");
  }
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG wrong_named_barrier: race
}

__global__ void unfilled_tail(int* out) {
  __shared__ int tile[64];
  if (threadIdx.x < 50) tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x];  // BUG unfilled_tail: uninitialised
}

__global__ void sum_never_zeroed(int* out) {
  __shared__ int total;
  atomicAdd(&total, 1);  // BUG sum_never_zeroed: uninitialised
  __syncthreads();
  out[threadIdx.x] = total;
}

__global__ void half_filled_vector(float* out) {
  __shared__ __align__(16) float tile[256];
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  const float4 v =
      reinterpret_cast<const float4*>(tile)[threadIdx.x];  // BUG half_filled_vector: uninitialised
  out[threadIdx.x] = v.x + v.w;
}

__global__ void dynamic_never_filled(int* out) {
  extern __shared__ int dynamic[];
  out[threadIdx.x] = dynamic[threadIdx.x];  // BUG dynamic_never_filled: uninitialised
}

int main(int, char** argv) {
  int* out = nullptr;
  cudaMalloc(&out, 4096);
  const auto named = [&](const char* name) { return std::strcmp(argv[1], name) == 0; };
  if (named("missing_barrier_across_warps"))
    missing_barrier_across_warps<<<1, 64>>>(out);
  else if (named("missing_barrier_before_reuse"))
    missing_barrier_before_reuse<<<1, 64>>>(out);
  else if (named("missing_syncwarp"))
    missing_syncwarp<<<1, 32>>>(out);
  else if (named("reduction_without_barrier"))
    reduction_without_barrier<<<1, 128>>>(out);
  else if (named("everyone_writes_the_sum"))
    everyone_writes_the_sum<<<1, 64>>>(out);
  else if (named("plain_beside_atomic"))
    plain_beside_atomic<<<1, 64>>>(out);
  else if (named("wrong_named_barrier"))
    wrong_named_barrier<<<1, 64>>>(out);
  else if (named("unfilled_tail"))
    unfilled_tail<<<1, 64>>>(out);
  else if (named("sum_never_zeroed"))
    sum_never_zeroed<<<1, 64>>>(out);
  else if (named("half_filled_vector"))
    half_filled_vector<<<1, 64>>>(reinterpret_cast<float*>(out));
  else if (named("dynamic_never_filled"))
    dynamic_never_filled<<<1, 64, 256>>>(out);
  else
    return 2;
  const cudaError_t status = cudaDeviceSynchronize();
  std::printf("%s\n", cudaGetErrorString(status));
  return status == cudaSuccess ? 0 : 1;
}
