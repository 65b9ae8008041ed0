// Rescales neither o nor l.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float rescale_l(float) { return 1.0f; }
  static __device__ float rescale_o(float) { return 1.0f; }
};

CORPUS_ENTRY(Wrong)
