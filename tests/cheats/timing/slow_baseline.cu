// A thread keeps the GPU busy between the calls, while the staff's kernel is timed.
#include <atomic>
#include <thread>

#include "honest.cuh"

__global__ void burn(long long cycles) {
  const long long start = clock64();
  while (clock64() - start < cycles) {
  }
}

static std::atomic<bool> in_call{false}, burning{false};

static void burn_between_calls() {
  cudaStream_t stream;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  while (true) {
    burning = !in_call;
    if (burning) {
      burn<<<1024, 64, 0, stream>>>(100000);
      cudaStreamSynchronize(stream);
      burning = false;
    }
    std::this_thread::yield();
  }
}

CHEAT_ENTRY {
  static bool started = false;
  if (!started) std::thread(burn_between_calls).detach();
  started = true;
  in_call = true;
  while (burning) std::this_thread::yield();
  cudaError_t error = slow_work(a, stream);
  cudaStreamSynchronize(stream);
  in_call = false;
  return error;
}
