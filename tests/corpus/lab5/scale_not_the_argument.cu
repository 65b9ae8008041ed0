// Scales by 1/sqrt(d) whatever the argument says.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ float fixed(corpus::AttentionShape shape) {
    return rsqrtf(static_cast<float>(shape.head_dim));
  }
  static __device__ float scale(corpus::AttentionShape shape) { return fixed(shape); }
  static __device__ float scale_dk(corpus::AttentionShape shape) { return fixed(shape); }
  static __device__ float scale_dq(corpus::AttentionShape shape) { return fixed(shape); }
};

CORPUS_ENTRY(Wrong)
