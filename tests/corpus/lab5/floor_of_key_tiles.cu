// Leaves the last, partial tile of keys out of dQ.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ int keys(corpus::AttentionShape shape) { return shape.seq_k / kTile * kTile; }
};

CORPUS_ENTRY(Wrong)
