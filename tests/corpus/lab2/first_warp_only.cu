// Counts the first warp only.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int warps() { return 1; }
};

CORPUS_ENTRIES(Wrong)
