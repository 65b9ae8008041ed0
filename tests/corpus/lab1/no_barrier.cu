// Leaves __syncthreads out of the reduction over the block.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ void barrier() {}
};

CORPUS_ENTRY(Wrong)
