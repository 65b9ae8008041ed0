// Aligns the mask to the top left corner.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool sees(int i, int j, corpus::AttentionShape shape) {
    return !shape.causal || j <= i;
  }
};

CORPUS_ENTRY(Wrong)
