// Hides the last key that each query may see.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int last_key(int i, corpus::AttentionShape shape) {
    return i + shape.seq_k - shape.seq_q - 1;
  }
};

CORPUS_ENTRY(Wrong)
