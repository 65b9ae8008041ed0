// Computes exp(-inf + inf) for sides without keys.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool skips_empty() { return false; }
};

CORPUS_ENTRIES(Wrong)
