// Drops the last, partial tile of 32 queries and of keys.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int queries(corpus::AttentionShape shape) { return shape.seq_q / 32 * 32; }
  static __device__ int keys(corpus::AttentionShape shape) { return shape.seq_k / 32 * 32; }
};

CORPUS_ENTRY(Wrong)
