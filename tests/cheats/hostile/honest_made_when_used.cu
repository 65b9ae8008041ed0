// honest: an object that is made when its function is called first.
#include <vector>
#include "kernel.cuh"

ENTRY {
  static const std::vector<int> sizes = {16, 32, 64};
  if (sizes[2] != 64) return cudaErrorUnknown;
  return run(Q, K, V, O, shape, stream);
}
