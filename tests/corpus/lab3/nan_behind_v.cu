// Leaves NaN in the rows of V beyond the last.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float padding_of_v() { return NAN; }
};

CORPUS_ENTRY(Wrong)
