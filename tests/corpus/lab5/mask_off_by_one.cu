// Hides the diagonal.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool sees(int i, int j, corpus::AttentionShape shape) {
    return !shape.causal || j < i + shape.seq_k - shape.seq_q;
  }
};

CORPUS_ENTRY(Wrong)
