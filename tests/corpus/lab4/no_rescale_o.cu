// Rescales l but not o.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float rescale_o(float) { return 1.0f; }
};

CORPUS_ENTRY(Wrong)
