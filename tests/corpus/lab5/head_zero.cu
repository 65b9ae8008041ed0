// Reads K and V of head 0.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ int kv_head(int bh, corpus::AttentionShape shape) {
    return bh / shape.heads * shape.heads;
  }
};

CORPUS_ENTRY(Wrong)
