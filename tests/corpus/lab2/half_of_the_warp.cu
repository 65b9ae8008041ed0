// Does not exchange over 16 lanes.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int first_step() { return 8; }
};

CORPUS_ENTRIES(Wrong)
