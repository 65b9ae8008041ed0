// Leaves out the last column.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int columns(flashlab::RowShape shape) { return shape.columns - 1; }
};

CORPUS_ENTRIES(Wrong)
