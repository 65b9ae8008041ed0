// Takes powers of two, with S and L multiplied by log2(e).
#include "base.cuh"

struct BaseTwo : corpus::Correct {
  static __device__ float probability(float s, float l, bool seen) {
    constexpr float kLog2e = 1.44269504f;
    return seen ? exp2f(s * kLog2e - l * kLog2e) : 0.0f;
  }
};

CORPUS_ENTRY(BaseTwo)
