// Takes exp(S) / L.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float probability(float s, float l, bool seen) {
    return seen ? expf(s) / l : 0.0f;
  }
};

CORPUS_ENTRY(Wrong)
