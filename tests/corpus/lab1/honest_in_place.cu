// One matrix only: P overwrites S.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  float* S = score_matrix(workspace, "S", shape);
  if (S == nullptr) return cudaErrorMemoryAllocation;
  scores<Correct><<<score_grid(shape), kThreads, 0, stream>>>(Q, K, S, shape);
  softmax<Correct><<<row_grid(shape), kThreads, 0, stream>>>(S, S, shape);
  weighted_sum<Correct><<<row_grid(shape), kThreads, 0, stream>>>(S, V, O, shape);
  return cudaGetLastError();
}
