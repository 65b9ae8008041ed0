// Rounds the number of blocks down.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static int blocks(int rows) { return max(1, rows / corpus::kRowsPerBlock); }
};

CORPUS_ENTRY(Wrong)
