// Scores in units of ln 2 and exp2f, as fast kernels do; L is converted back.
#include "base.cuh"

struct BaseTwo : corpus::Correct {
  static constexpr float kLog2e = 1.44269504f, kLn2 = 0.693147181f;
  static __device__ float scale(corpus::AttentionShape shape) { return shape.scale * kLog2e; }
  static __device__ float exponential(float x) { return exp2f(x); }
  static __device__ float log_sum_exp(float m, float l, corpus::AttentionShape) {
    return m * kLn2 + logf(l);
  }
};

CORPUS_ENTRY(BaseTwo)
