// Reads each tile of P transposed.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  template <class Tile>
  static __device__ float weight_dv(const Tile& tile, int i, int j) {
    return tile.P[j][i];
  }
};

CORPUS_ENTRY(Wrong)
