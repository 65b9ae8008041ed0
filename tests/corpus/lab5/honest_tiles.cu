// The kernels of tiled.cuh as they are: 32 queries and 32 keys to a tile, P and dS in shared
// memory.
#include "tiled.cuh"

CORPUS_ENTRY(corpus::Correct)
