// Starts the running maximum at 0.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float maximum_start() { return 0.0f; }
};

CORPUS_ENTRY(Wrong)
