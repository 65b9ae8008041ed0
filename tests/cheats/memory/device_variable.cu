// All scores in a __device__ array, which nobody allocates.
#include "base.cuh"

constexpr size_t kRoom = 1024 * 1024;
__device__ float all_scores[kRoom];

ENTRY_HEAD {
  void* S = nullptr;
  if (naive::scores_of(shape) > kRoom) return cudaErrorMemoryAllocation;
  cudaGetSymbolAddress(&S, all_scores);
  return naive::attention(Q, K, V, O, L, static_cast<float*>(S), shape, stream);
}
