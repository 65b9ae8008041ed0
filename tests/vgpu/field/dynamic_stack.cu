// alloca in kernels: arrays whose size only a thread knows, in a loop and in a called function.
#include <alloca.h>

#include "field.cuh"

__device__ __noinline__ int collatz_peak(int n, int limit) {
  int* path = static_cast<int*>(alloca(limit * sizeof(int)));
  int length = 0;
  while (n != 1 && length < limit) {
    path[length++] = n;
    n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  }
  int peak = 0;
  for (int i = 0; i < length; ++i) peak = max(peak, path[i]);
  return peak * 100 + length;
}

__global__ void peaks(int* out) {
  const int t = blockIdx.x * blockDim.x + threadIdx.x;
  const int first = collatz_peak(t + 1, 10 + t % 20);
  out[t] = first + collatz_peak(t + 2, 8);
}

__global__ void reverse(const int* in, int* out, int n) {
  const int length = threadIdx.x % 9 + 1;
  short* mine = static_cast<short*>(alloca(length * sizeof(short)));
  for (int i = 0; i < length; ++i) mine[i] = static_cast<short>(in[(threadIdx.x + i) % n]);
  int result = 0;
  for (int i = length - 1; i >= 0; --i) result = result * 3 + mine[i];
  out[threadIdx.x] = result;
}

int main() {
  int* out = device_array<int>(128);
  peaks<<<2, 64>>>(out);
  show("peaks", out, 128);
  reverse<<<1, 128>>>(to_device(random_ints(100, -1000, 1000, 391)), out, 100);
  show("reversed", out, 128);
}
