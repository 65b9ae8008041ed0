// Takes two more N x N matrices from the workspace than it needs.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  using namespace corpus;
  if (!score_matrix(workspace, "exp", shape) || !score_matrix(workspace, "mask", shape)) {
    return cudaErrorMemoryAllocation;
  }
  return attention<Correct>(Q, K, V, O, shape, workspace, stream);
}
