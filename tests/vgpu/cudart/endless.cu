// An endless kernel, for the time limit of a launch: what other calls answer while it runs and
// after it was stopped.
#include <cuda_runtime.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

static __global__ void spin(volatile int* flag) {
  while (*flag == 0) {
  }
}

int main() {
  int *flag = nullptr, *more = nullptr, host = 0;
  cudaMalloc(&flag, sizeof *flag);
  cudaMemset(flag, 0, sizeof *flag);
  std::atomic<bool> answered = false;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    answered = cudaMalloc(&more, 4) == cudaSuccess;
  });
  spin<<<1, 32>>>(flag);
  std::printf("another thread was served meanwhile: %d\n", answered.load());
  cudaEvent_t event = nullptr;
  std::printf("after the launch: %d\n", cudaGetLastError());
  std::printf("a call that does not wait: %d\n", cudaEventCreate(&event));
  std::printf("a copy that is only queued: %d\n",
              cudaMemcpyAsync(&host, flag, sizeof host, cudaMemcpyDefault));
  std::printf("a call that waits: %d\n", cudaDeviceSynchronize());
  std::printf("every call after it: %d\n", cudaEventCreate(&event));
  other.join();
}
