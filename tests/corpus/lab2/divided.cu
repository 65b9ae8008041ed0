// Divides o by l.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float stored_o(float o, float l) { return l > 0.0f ? o / l : 0.0f; }
};

CORPUS_ENTRIES(Wrong)
