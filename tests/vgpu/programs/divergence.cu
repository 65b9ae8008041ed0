// Lanes of one warp go different ways: nested ifs, loops with their own trip counts, break,
// continue, early return, short-circuit conditions, and a loop within a loop.
#include "program.cuh"

__host__ __device__ int nested(int i) {
  if (i % 2 == 0) {
    if (i % 3 == 0) return i * 7;
    if (i % 5 == 0 && i > 10) return i - 100;
    return i % 4 == 0 || i % 7 == 0 ? i + 1 : -i;
  }
  return i % 3 == 1 ? i * i : 3 * i;
}

__host__ __device__ int collatz(int n) {
  int steps = 0;
  while (n != 1) {
    n = n % 2 ? 3 * n + 1 : n / 2;
    if (++steps > 60) break;
  }
  return steps;
}

__host__ __device__ int skip_and_stop(int i) {
  int sum = 0;
  for (int k = 0; k < 40; ++k) {
    if ((k + i) % 3 == 0) continue;
    sum += k;
    if (sum > i * 5) break;
    for (int m = 0; m < i % 4; ++m) {
      if (m == 2) break;
      sum ^= m + k;
    }
  }
  return sum;
}

__host__ __device__ int days(int i) {
  switch (i % 9) {
    case 0:
      return 31;
    case 1:
      return 28 + (i % 2);
    case 3:
    case 5:
      return 30;
    case 7:
      i += 4;
      [[fallthrough]];
    case 8:
      return i * 2;
    default:
      return -1;
  }
}

__global__ void diverge(int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  out[4 * i] = nested(i);
  out[4 * i + 1] = collatz(i + 1);
  if (i % 11 == 4) return;
  out[4 * i + 2] = skip_and_stop(i);
  out[4 * i + 3] = days(i);
}

// Lanes leave a loop one by one, and meet again: after it each lane must see all 32.
__global__ void reconverge(unsigned* out) {
  unsigned work = 0;
  for (unsigned k = 0; k <= threadIdx.x; ++k) work += k * k;
  out[threadIdx.x] = __ballot_sync(0xffffffffu, work % 2 == 0);
}

int main() {
  const int n = 500;
  DeviceArray<int> out(std::vector<int>(4 * n, -7));
  diverge<<<4, 128>>>(out.data(), n);
  DeviceArray<unsigned> votes(32);
  reconverge<<<1, 32>>>(votes.data());
  finish_kernels();
  std::vector<int> want(4 * n, -7);
  for (int i = 0; i < n; ++i) {
    want[4 * i] = nested(i);
    want[4 * i + 1] = collatz(i + 1);
    if (i % 11 == 4) continue;
    want[4 * i + 2] = skip_and_stop(i);
    want[4 * i + 3] = days(i);
  }
  expect("diverge", out.host(), want);
  unsigned ballot = 0;
  for (unsigned lane = 0, work = 0; lane < 32; ++lane) {
    work += lane * lane;
    if (work % 2 == 0) ballot |= 1u << lane;
  }
  expect("reconverge", votes.host(), std::vector<unsigned>(32, ballot));
  return verdict();
}
