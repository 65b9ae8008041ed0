// One warp to a row.
#include "base.cuh"

struct OneWarp : corpus::Correct {
  static constexpr int kThreads = 32;
  static __device__ int warps() { return 1; }
};

CORPUS_ENTRIES(OneWarp)
