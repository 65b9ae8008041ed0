// Rounds every operand to the 11 significant bits of fp16 (Veltkamp's splitting).
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float operand(float x) {
    const float big = __fmul_rn(x, 8193.0f);
    return __fsub_rn(big, __fsub_rn(big, x));
  }
};

CORPUS_ENTRY(Wrong)
