// A host callback, which no event of the caller's stream waits for, tells a thread to begin with
// the work.
#include <chrono>
#include <thread>

#include "honest.cuh"

CHEAT_ENTRY {
  static cudaStream_t mine = nullptr;
  if (mine == nullptr) cudaStreamCreateWithFlags(&mine, cudaStreamNonBlocking);
  nothing<<<64, 256, 0, stream>>>();
  const auto start_late = [](void* data) {
    std::thread([later = static_cast<Arguments*>(data)] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      honest_work(*later, cudaStreamPerThread);
      cudaStreamSynchronize(cudaStreamPerThread);
      delete later;
    }).detach();
  };
  return cudaLaunchHostFunc(mine, start_late, new Arguments(a));
}
