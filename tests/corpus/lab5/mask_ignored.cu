// Ignores the mask.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool sees(int, int, corpus::AttentionShape) { return true; }
};

CORPUS_ENTRY(Wrong)
