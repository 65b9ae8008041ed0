// Stores m + log2 l.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float log_sum_exp(float m, float l, corpus::AttentionShape) {
    return m + log2f(l);
  }
};

CORPUS_ENTRY(Wrong)
