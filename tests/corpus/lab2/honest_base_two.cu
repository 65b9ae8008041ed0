// exp(x) as exp2(x log2 e), as fast kernels do.
#include "base.cuh"

struct BaseTwo : corpus::Correct {
  static __device__ float exponential(float x) { return exp2f(x * 1.44269504f); }
};

CORPUS_ENTRIES(BaseTwo)
