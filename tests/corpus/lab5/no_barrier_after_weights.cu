// Reads P and dS before all of them are computed.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier_after_weights() {}
};

CORPUS_ENTRY(Wrong)
