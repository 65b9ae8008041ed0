// Reads tiles only as far as the first query of the block sees.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int deciding_query(int first, int) { return first; }
};

CORPUS_ENTRY(Wrong)
