// Scales dQ and dK twice.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale_of_dq(corpus::AttentionShape shape) {
    return shape.scale * shape.scale;
  }
  static __device__ float scale_of_dk(corpus::AttentionShape shape) {
    return shape.scale * shape.scale;
  }
};

CORPUS_ENTRY(Wrong)
