// Does not scale dK.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ float scale_dk(corpus::AttentionShape) { return 1.0f; }
};

CORPUS_ENTRY(Wrong)
