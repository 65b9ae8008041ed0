// Does not mask where dK and dV are computed, but skips the tiles that are hidden entirely.
#include "tiled.cuh"

struct Wrong : corpus::Correct {
  template <corpus::Pass pass>
  static __device__ bool masks() {
    return pass != corpus::Pass::kKeys;
  }
};

CORPUS_ENTRY(Wrong)
