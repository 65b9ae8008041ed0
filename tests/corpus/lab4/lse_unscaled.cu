// Stores the maximum of q . k, not of the scores.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float log_sum_exp(float m, float l, corpus::AttentionShape shape) {
    return m / shape.scale + logf(l);
  }
};

CORPUS_ENTRY(Wrong)
