// Has tiles of 16 queries, so K and V are read four times as often.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static constexpr int kBr = 16;
};

CORPUS_ENTRY(Wrong)
