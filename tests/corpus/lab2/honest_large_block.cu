// 1024 threads to a row.
#include "base.cuh"

struct Large : corpus::Correct {
  static constexpr int kThreads = 1024;
  static __device__ int warps() { return kThreads / 32; }
};

CORPUS_ENTRIES(Large)
