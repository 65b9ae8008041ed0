// Seven warps, 20 queries and up to 96 keys to a tile.
#include "base.cuh"

struct Tiles : corpus::Correct {
  static constexpr int kWarps = 7;
  template <int d>
  static constexpr int kBc = d == 32   ? 96
                             : d == 64 ? 64
                                       : 32;
  template <int d>
  static constexpr int kBr = 20;
};

CORPUS_ENTRY(Tiles)
