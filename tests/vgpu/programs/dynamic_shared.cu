// Shared memory whose size is given at the launch: two arrays in one, beside a static one, and more
// than 48 KiB after cudaFuncSetAttribute.
#include "program.cuh"

__global__ void reverse_and_rotate(const int* in, int* reversed, int* rotated, int n) {
  extern __shared__ int memory[];
  __shared__ int shift;
  int* a = memory;
  int* b = memory + n;
  if (threadIdx.x == 0) shift = n / 3;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    a[i] = in[i];
    b[n - 1 - i] = in[i];
  }
  __syncthreads();  // both arrays and the shift are written
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    reversed[i] = b[i];
    rotated[i] = a[(i + shift) % n];
  }
}

int main() {
  CHECK(
      cudaFuncSetAttribute(reverse_and_rotate, cudaFuncAttributeMaxDynamicSharedMemorySize, 65536));
  for (const int n : {5, 100, 8192}) {
    std::vector<int> in(n), want_reversed(n), want_rotated(n);
    for (int i = 0; i < n; ++i) in[i] = i * i % 9973;
    for (int i = 0; i < n; ++i) {
      want_reversed[i] = in[n - 1 - i];
      want_rotated[i] = in[(i + n / 3) % n];
    }
    DeviceArray<int> din(in), reversed(n), rotated(n);
    reverse_and_rotate<<<1, 96, 2 * n * sizeof(int)>>>(din.data(), reversed.data(), rotated.data(),
                                                       n);
    finish_kernels();
    expect("reversed", reversed.host(), want_reversed);
    expect("rotated", rotated.host(), want_rotated);
  }
  return verdict();
}
