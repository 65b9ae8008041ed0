// Divides by d where 1/sqrt(d) was given.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale(corpus::AttentionShape shape) { return 1.0f / shape.head_dim; }
};

CORPUS_ENTRY(Wrong)
