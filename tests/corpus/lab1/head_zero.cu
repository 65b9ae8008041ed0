// Every head reads the keys and values of head 0 of its batch.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int kv_head(int bh, corpus::AttentionShape shape) {
    return bh / shape.heads * shape.heads;
  }
};

CORPUS_ENTRY(Wrong)
