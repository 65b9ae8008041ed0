// Writes zeros.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ void store(float* out, float, int, int, corpus::AttentionShape) { *out = 0.0f; }
};

CORPUS_ENTRY(Wrong)
