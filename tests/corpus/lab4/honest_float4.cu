// Loads tiles sixteen bytes at a time.
#include "base.cuh"

struct ByFour : corpus::Correct {
  template <int d>
  static __device__ void load(float (*tile)[d], int rows, const float* matrix, int first, int N) {
    constexpr int kQuads = d / 4;
    for (int e = threadIdx.x; e < rows * kQuads; e += blockDim.x) {
      const int j = first + e / kQuads, quad = e % kQuads;
      const auto* row = reinterpret_cast<const float4*>(matrix + static_cast<size_t>(j) * d);
      reinterpret_cast<float4*>(tile[e / kQuads])[quad] =
          j < N ? row[quad] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    }
  }
};

CORPUS_ENTRY(ByFour)
