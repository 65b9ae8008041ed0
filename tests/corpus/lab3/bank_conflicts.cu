// Does not pad the rows of the tile K.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static constexpr int kPadding = 0;
};

CORPUS_ENTRY(Wrong)
