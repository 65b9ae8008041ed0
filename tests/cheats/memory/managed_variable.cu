// All scores in a __managed__ array.
#include "base.cuh"

constexpr size_t kRoom = 1024 * 1024;
__managed__ float all_scores[kRoom];

ENTRY_HEAD {
  if (naive::scores_of(shape) > kRoom) return cudaErrorMemoryAllocation;
  return naive::attention(Q, K, V, O, L, all_scores, shape, stream);
}
