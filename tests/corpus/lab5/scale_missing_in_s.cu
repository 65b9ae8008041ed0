// Does not scale Q K^T.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale(corpus::AttentionShape) { return 1.0f; }
};

CORPUS_ENTRY(Wrong)
