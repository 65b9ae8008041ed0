// Reads V as if it were [d, Nk].
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ size_t value_offset(int j, int c, corpus::AttentionShape shape) {
    return static_cast<size_t>(c) * shape.seq_k + j;
  }
};

CORPUS_ENTRY(Wrong)
