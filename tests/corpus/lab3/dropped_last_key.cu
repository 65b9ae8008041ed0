// Leaves out the last key.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool exists(int j, corpus::AttentionShape shape) { return j < shape.seq_k - 1; }
};

CORPUS_ENTRY(Wrong)
