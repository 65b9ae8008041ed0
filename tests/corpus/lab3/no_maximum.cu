// Takes no maximum off.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float shift(float) { return 0.0f; }
};

CORPUS_ENTRY(Wrong)
