// Adds D.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float score_gradient(float p, float dp, float D, corpus::AttentionShape) {
    return p * (dp + D);
  }
};

CORPUS_ENTRY(Wrong)
