// Reads K and V of batch 0.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ int kv_head(int bh, corpus::AttentionShape shape) { return bh % shape.heads; }
};

CORPUS_ENTRY(Wrong)
