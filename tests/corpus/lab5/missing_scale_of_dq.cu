// Does not scale dQ.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale_of_dq(corpus::AttentionShape) { return 1.0f; }
};

CORPUS_ENTRY(Wrong)
