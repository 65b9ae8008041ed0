// Gives the keys beyond the end the score 0.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool exists(int, corpus::AttentionShape) { return true; }
};

CORPUS_ENTRY(Wrong)
