// Adds up dQ by atomics, and does not set it to 0 first.
#include "sums.cuh"

struct Wrong : corpus::ByAtomics {
  static constexpr bool kClears = false;
};

CORPUS_ENTRY_WITH_SUM(Wrong)
