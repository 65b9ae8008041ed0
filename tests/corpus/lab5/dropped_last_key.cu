// Leaves out the last key in dQ.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int keys(corpus::AttentionShape shape) { return shape.seq_k - 1; }
};

CORPUS_ENTRY(Wrong)
