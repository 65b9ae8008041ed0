// Rescales the earlier side only.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float2 weights_l(float a, float) { return make_float2(a, 1.0f); }
  static __device__ float2 weights_o(float a, float) { return make_float2(a, 1.0f); }
};

CORPUS_ENTRIES(Wrong)
