// Computes exp(-inf + inf) for rows without keys.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool skips_empty() { return false; }
};

CORPUS_ENTRY(Wrong)
