// Counts heads first and batches second in K and V.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int kv_head(int bh, corpus::AttentionShape shape) {
    return bh % shape.heads * shape.batch + bh / shape.heads;
  }
};

CORPUS_ENTRY(Wrong)
