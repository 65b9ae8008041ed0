// Works out 1/sqrt(d) itself and ignores the scale that was given.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale(corpus::AttentionShape shape) {
    return rsqrtf(static_cast<float>(shape.head_dim));
  }
};

CORPUS_ENTRY(Wrong)
