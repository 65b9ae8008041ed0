// Reads the warps' states before they are written.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier() {}
};

CORPUS_ENTRIES(Wrong)
