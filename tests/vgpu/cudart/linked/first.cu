// With second.cu a program of two objects that the device linker (-rdc=true) joins: what each needs
// of the other, and names that both have for themselves.
#include <cstdio>

#include "shared.cuh"

__managed__ int managed_here = 1;
static __device__ int own = 1;               // second.cu has one too
__constant__ float table[4] = {1, 2, 4, 8};  // second.cu reads it
namespace {
__global__ void unnamed(float* out) {
  *out = static_cast<float>(own);
}
}  // namespace

struct Derived : Base {
  __device__ int value() const override { return 20; }
};

static __global__ void own_kernel(float* out) {
  __shared__ float tile[32];
  extern __shared__ float dynamic[];
  tile[threadIdx.x] = 1.0f + static_cast<float>(threadIdx.x);
  dynamic[threadIdx.x] = 100;
  __syncthreads();
  if (threadIdx.x == 0) {
    *out = tile[31] + dynamic[31] + scale * times_two(0.25f) + static_cast<float>(next_number());
    std::printf("%s\n", "first says so");
  }
}

__global__ void calls(int* out) {
  Derived derived;
  *out = value_of(&derived) + pointer(3);
}

int main() {
  float* number = nullptr;
  cudaMallocManaged(&number, sizeof *number);
  const auto show = [&](const char* what) {
    const cudaError_t error = cudaDeviceSynchronize();
    std::printf("%s: %g, %s\n", what, *number, cudaGetErrorName(error));
  };
  const float three = 3;
  const cudaError_t error = cudaMemcpyToSymbol(scale, &three, sizeof three);
  std::printf("symbol of the other object: %d\n", error);
  if (error != cudaSuccess) return 1;
  own_kernel<<<1, 32, 128>>>(number);
  show("own kernel of first");
  run_own_kernel(number);
  show("own kernel of second");
  defined_in_second<<<1, 1>>>(number);
  show("kernel of second");
  unnamed<<<1, 1>>>(number);
  show("unnamed kernel of first");
  run_unnamed(number);
  show("unnamed kernel of second");
  same_in_both<float><<<1, 32>>>(number);
  show("template in first");
  run_same_in_both(number);
  show("template in second");
  int* integer = reinterpret_cast<int*>(number);
  calls<<<1, 1>>>(integer);
  cudaDeviceSynchronize();
  std::printf("calls: %d\n", *integer);
  ++managed_here;
  std::printf("managed: %d %d\n", managed_here, managed_there);
  return cudaGetLastError() == cudaSuccess ? 0 : 1;
}
