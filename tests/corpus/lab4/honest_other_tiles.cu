// Tiles of 96 queries and 20 keys.
#include "base.cuh"

struct Tiles : corpus::Correct {
  static constexpr int kBr = 96, kBc = 20;
};

CORPUS_ENTRY(Tiles)
