// Copies tiles with neighbouring threads in different rows.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  template <int d, int columns>
  static __device__ void load(float (*tile)[columns], int, const float* matrix, int first, int N) {
    const int r = threadIdx.x;
    for (int c = threadIdx.y; c < d; c += blockDim.y) {
      tile[r][c] = first + r < N ? matrix[static_cast<size_t>(first + r) * d + c] : 0.0f;
    }
  }
};

CORPUS_ENTRY(Wrong)
