// Leaves out the last part of a row.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int parts(flashlab::MergeShape shape) { return shape.parts - 1; }
};

CORPUS_ENTRIES(Wrong)
