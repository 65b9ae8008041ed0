// Rounds every factor to half precision.
#include <cuda_fp16.h>

#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float operand(float x) { return __half2float(__float2half(x)); }
};

CORPUS_ENTRY(Wrong)
