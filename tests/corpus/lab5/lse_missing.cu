// Does not subtract L.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float probability(float s, float, bool seen) { return seen ? expf(s) : 0.0f; }
};

CORPUS_ENTRY(Wrong)
