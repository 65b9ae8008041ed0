// assert in a kernel: one that holds, one that fails; what the host is told then and afterwards.
#include <cassert>

#include "field.cuh"

__global__ void divide(const int* a, const int* b, int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  assert(b[i] != 0 && "a divisor is zero");
  out[i] = a[i] / b[i];
}

int main() {
  const int n = 256;
  std::vector<int> divisors = random_ints(n, 1, 9, 352);
  int* a = to_device(random_ints(n, -1000, 1000, 351));
  int* b = to_device(divisors);
  int* out = device_array<int>(n);
  divide<<<2, 128>>>(a, b, out, n);
  show("quotients", out, n);
  divisors[200] = 0;
  CHECK(cudaMemcpy(b, divisors.data(), n * sizeof(int), cudaMemcpyHostToDevice));
  divide<<<2, 128>>>(a, b, out, n);
  std::printf("launch: %s\n", cudaGetErrorName(cudaGetLastError()));
  std::printf("synchronise: %s\n", cudaGetErrorName(cudaDeviceSynchronize()));
  std::printf("afterwards: %s\n", cudaGetErrorName(cudaMalloc(&a, 16)));
}
