// Reads tiles of keys that no query of the block sees.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int deciding_query(int, int) { return 1 << 30; }
};

CORPUS_ENTRY(Wrong)
