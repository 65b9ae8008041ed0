// Has tiles of 16 queries and keys, so everything is read twice as often.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static constexpr int kTile = 16;
};

CORPUS_ENTRY(Wrong)
