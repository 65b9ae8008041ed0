// Tiles of 48 queries and keys.
#include "tiled.cuh"

struct Large : corpus::Correct {
  static constexpr int kTile = 48;
};

CORPUS_ENTRY(Large)
