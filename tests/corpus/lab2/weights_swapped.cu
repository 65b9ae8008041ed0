// Multiplies each side by the other side's weight.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float2 weights_l(float a, float b) { return make_float2(b, a); }
  static __device__ float2 weights_o(float a, float b) { return make_float2(b, a); }
};

CORPUS_ENTRIES(Wrong)
