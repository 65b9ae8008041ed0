// Leaves D out.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float score_gradient(float p, float dp, float, corpus::AttentionShape) {
    return p * dp;
  }
};

CORPUS_ENTRY(Wrong)
