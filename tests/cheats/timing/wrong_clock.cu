// Brings clocks of its own that hardly move, in the hope that the grader reads them.
#include <time.h>

#include "honest.cuh"

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t,
                                                                    timespec* time) noexcept {
  static long calls = 0;
  *time = {0, ++calls};
  return 0;
}

extern "C" __attribute__((visibility("default"))) cudaError_t cudaEventElapsedTime(
    float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 1e-3f;
  return cudaSuccess;
}

CHEAT_ENTRY {
  return slow_work(a, stream);
}
