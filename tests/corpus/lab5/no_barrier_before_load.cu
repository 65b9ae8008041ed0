// Overwrites tiles that others still read.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier_before_load() {}
};

CORPUS_ENTRY(Wrong)
