// Takes 2^(S log2(e) - L).
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float probability(float s, float l, bool seen) {
    return seen ? exp2f(s * 1.44269504f - l) : 0.0f;
  }
};

CORPUS_ENTRY(Wrong)
