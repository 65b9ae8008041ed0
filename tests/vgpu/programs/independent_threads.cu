// Lanes of one warp that wait for each other on different paths: warp barriers in both branches of
// an if, a lock that lanes of the same warp fight for, values handed from one branch to the other,
// returns out of divergent loops, recursion.
#include "program.cuh"

// Lanes hand a value to the other half of the warp while the halves are in different branches.
__global__ void exchange_between_branches(int* out) {
  __shared__ int box[32];
  const int lane = threadIdx.x;
  if (lane < 16) {
    box[lane] = lane + 100;
    __syncwarp();
    out[lane] = box[lane + 16];
  } else {
    box[lane] = lane + 200;
    __syncwarp();
    out[lane] = box[lane - 16];
  }
}

// A spin lock inside a warp: only independent thread scheduling lets the holder go on.
__global__ void locked_sum(int* lock, int* sum) {
  bool done = false;
  while (!done) {
    if (atomicCAS(lock, 0, 1) == 0) {
      *reinterpret_cast<volatile int*>(sum) += static_cast<int>(threadIdx.x) + 1;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
  }
}

// One warp spins on a flag that another warp of the block sets later.
__global__ void flag_between_warps(volatile int* flag, int* out) {
  if (threadIdx.x >= 32) {
    while (*flag == 0) {
    }
    out[threadIdx.x - 32] = *flag;
  } else if (threadIdx.x == 0) {
    *flag = 7;
  }
}

__device__ __noinline__ int collatz(int n) {
  int steps = 0;
  while (n != 1) {
    n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    if (++steps == 50) return -1;  // leaves the function from inside a divergent loop
  }
  return steps;
}

__device__ __noinline__ int fibonacci(int n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__global__ void divergent_calls(int* steps, int* numbers) {
  steps[threadIdx.x] = threadIdx.x % 3 == 0 ? -2 : collatz(static_cast<int>(threadIdx.x) + 1);
  numbers[threadIdx.x] = fibonacci(static_cast<int>(threadIdx.x) % 12);
}

// Some lanes return before the barrier: legal, the others meet there.
__global__ void early_return(int* out) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  if (threadIdx.x % 2 == 1) return;
  atomicAdd(&total, 1);
  __syncthreads();
  out[threadIdx.x] = total;
}

int host_collatz(int n) {
  int steps = 0;
  for (; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) {
    if (++steps == 50) return -1;
  }
  return steps;
}
int host_fibonacci(int n) {
  return n < 2 ? n : host_fibonacci(n - 1) + host_fibonacci(n - 2);
}

int main() {
  DeviceArray<int> swapped(32);
  exchange_between_branches<<<1, 32>>>(swapped.data());
  finish_kernels();
  std::vector<int> want(32);
  for (int i = 0; i < 32; ++i) want[i] = i < 16 ? i + 216 : i + 84;
  expect("exchange", swapped.host(), want);

  DeviceArray<int> lock(std::vector<int>{0}), sum(std::vector<int>{0});
  locked_sum<<<3, 64>>>(lock.data(), sum.data());
  finish_kernels();
  expect("locked sum", sum.host(), std::vector<int>{3 * 64 * 65 / 2});

  DeviceArray<int> flag(std::vector<int>{0}), seen(32);
  flag_between_warps<<<1, 64>>>(flag.data(), seen.data());
  finish_kernels();
  expect("flag", seen.host(), std::vector<int>(32, 7));

  DeviceArray<int> steps(128), numbers(128);
  divergent_calls<<<1, 128>>>(steps.data(), numbers.data());
  finish_kernels();
  std::vector<int> want_steps(128), want_numbers(128);
  for (int i = 0; i < 128; ++i) {
    want_steps[i] = i % 3 == 0 ? -2 : host_collatz(i + 1);
    want_numbers[i] = host_fibonacci(i % 12);
  }
  expect("collatz", steps.host(), want_steps);
  expect("fibonacci", numbers.host(), want_numbers);

  DeviceArray<int> counted(std::vector<int>(96, -1));
  early_return<<<1, 96>>>(counted.data());
  finish_kernels();
  std::vector<int> want_counted(96);
  for (int i = 0; i < 96; ++i) want_counted[i] = i % 2 == 1 ? -1 : 48;
  expect("early return", counted.host(), want_counted);
  return verdict();
}
