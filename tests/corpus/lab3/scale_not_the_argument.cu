// Scales by 1/sqrt(d) whatever the argument says.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale(corpus::AttentionShape shape) {
    return 1.0f / sqrtf(static_cast<float>(shape.head_dim));
  }
};

CORPUS_ENTRY(Wrong)
