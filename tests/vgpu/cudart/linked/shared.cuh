// What first.cu and second.cu know of each other.
#pragma once

extern __managed__ int managed_here, managed_there;
extern __constant__ float scale, table[4];
extern __device__ int (*pointer)(int);

struct Base {
  __device__ virtual int value() const { return 1; }
};
__device__ int value_of(const Base* base);
__device__ float times_two(float x);
__global__ void defined_in_second(float* out);

/// 0, 1, 2, ...: one counter for all objects.
inline __device__ int next_number() {
  static __device__ int numbers;
  return numbers++;
}

template <typename T>
__global__ void same_in_both(T* out) {
  __shared__ T values[32];
  values[threadIdx.x] = static_cast<T>(threadIdx.x);
  __syncthreads();
  if (threadIdx.x == 0) *out = values[31];
}

void run_own_kernel(float* out);
void run_unnamed(float* out);
void run_same_in_both(float* out);
