// Ignores the causal flag.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int last_key(int, corpus::AttentionShape shape) { return shape.seq_k; }
};

CORPUS_ENTRY(Wrong)
