// Gives masked keys the score -1e30, so that rows without keys become means.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float masked_score() { return -1e30f; }
};

CORPUS_ENTRY(Wrong)
