// Reads the tiles before they are loaded.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier_after_load() {}
};

CORPUS_ENTRY(Wrong)
