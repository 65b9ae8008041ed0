// Divides by the weights.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float2 weights_l(float a, float b) { return make_float2(1.0f / a, 1.0f / b); }
  static __device__ float2 weights_o(float a, float b) { return make_float2(1.0f / a, 1.0f / b); }
};

CORPUS_ENTRIES(Wrong)
