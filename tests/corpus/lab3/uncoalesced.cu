// Copies tiles with neighbouring threads in different rows.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ int element(int step, int t, int n, int rows, int d) {
    const int e = step * n + t;
    return e % rows * d + e / rows;
  }
};

CORPUS_ENTRY(Wrong)
