// Leaves out the columns beyond a multiple of the block.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int columns(flashlab::RowShape shape) {
    return shape.columns / kThreads * kThreads;
  }
};

CORPUS_ENTRIES(Wrong)
