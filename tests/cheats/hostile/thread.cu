// B9: a thread of the CPU works on after the call.
#include <thread>
#include "kernel.cuh"

ENTRY {
  std::thread([] {
    while (true) std::this_thread::yield();
  }).detach();
  return run(Q, K, V, O, shape, stream);
}
