// Reads tiles before all of them is loaded.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier_after_load() {}
};

CORPUS_ENTRY(Wrong)
