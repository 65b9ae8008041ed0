// Has tiles of 32 keys for every d, where 64 and 128 fit for smaller d.
#include "base.cuh"

struct Wrong : corpus::Correct {
  template <int d>
  static constexpr int kBc = 32;
};

CORPUS_ENTRY(Wrong)
