// Does not pad the rows of the tiles.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  static constexpr int kPad = 0;
};

CORPUS_ENTRY(Wrong)
