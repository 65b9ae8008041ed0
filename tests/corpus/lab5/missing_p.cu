// Leaves P out of dS.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float score_gradient(float p, float dp, float D, corpus::AttentionShape) {
    return p > 0.0f ? dp - D : 0.0f;
  }
};

CORPUS_ENTRY(Wrong)
