// Reads a tile before all of it is loaded.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier_after_load() {}
};

CORPUS_ENTRY(Wrong)
