// Returns at once; a thread does the work when the clock has stopped.
#include <chrono>
#include <thread>

#include "honest.cuh"

CHEAT_ENTRY {
  nothing<<<64, 256, 0, stream>>>();
  std::thread([later = a] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    honest_work(later, cudaStreamPerThread);
    cudaStreamSynchronize(cudaStreamPerThread);
  }).detach();
  return cudaGetLastError();
}
