// Starts the maximum at 0, so rows of only negative scores keep 0 as their maximum.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float maximum_start() { return 0.0f; }
};

CORPUS_ENTRY(Wrong)
