// Overwrites tiles that others still read.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier_before_load() {}
};

CORPUS_ENTRY(Wrong)
