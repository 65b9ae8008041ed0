// Aligns the mask to the top left corner.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int last_key(int i, corpus::AttentionShape) { return i; }
};

CORPUS_ENTRY(Wrong)
