// Starts m at 0.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float start() { return 0.0f; }
};

CORPUS_ENTRIES(Wrong)
