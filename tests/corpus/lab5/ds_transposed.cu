// Reads each tile of dS transposed.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  template <class Tile>
  static __device__ float weight_dk(const Tile& tile, int i, int j) {
    return tile.dS[j][i];
  }
};

CORPUS_ENTRY(Wrong)
