// All scores in memory that the first call allocates and every later one finds there.
#include "base.cuh"

constexpr size_t kRoom = 1024 * 1024;

ENTRY_HEAD {
  static float* S = nullptr;
  if (S == nullptr) cudaMalloc(&S, kRoom * sizeof *S);
  if (naive::scores_of(shape) > kRoom) return cudaErrorMemoryAllocation;
  return naive::attention(Q, K, V, O, L, S, shape, stream);
}
