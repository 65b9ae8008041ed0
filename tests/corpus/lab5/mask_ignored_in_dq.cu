// Ignores the mask in the kernel of dQ only.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool sees(int, int, corpus::AttentionShape) { return true; }
};

CORPUS_ENTRY(corpus::Correct, Wrong)
