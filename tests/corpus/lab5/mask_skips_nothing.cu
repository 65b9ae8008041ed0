// Goes through tiles that the mask hides entirely.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static __device__ bool skips() { return false; }
};

CORPUS_ENTRY(Wrong)
