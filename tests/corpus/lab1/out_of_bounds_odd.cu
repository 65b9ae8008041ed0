// Handles rows in pairs, and forgets that Nq may be odd: then it writes one row too many.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ void store(float* out, float o, int i, int, corpus::AttentionShape shape) {
    *out = o;
    if (i == shape.seq_q - 1 && i % 2 == 0) out[shape.head_dim] = o;
  }
};

CORPUS_ENTRY(Wrong)
