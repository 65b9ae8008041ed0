// Walks over whole tiles of 32 keys only: floor(Nk / 32) of them.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int keys(corpus::AttentionShape shape) { return shape.seq_k / 32 * 32; }
};

CORPUS_ENTRY(Wrong)
