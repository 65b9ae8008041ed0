// Shows each query one key too many.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ int offset(corpus::AttentionShape shape) {
    return shape.seq_k - shape.seq_q + 1;
  }
};

CORPUS_ENTRY(Wrong)
