// Takes an Nq x Nk matrix from the workspace.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  const size_t heads = static_cast<size_t>(shape.batch) * shape.heads;
  if (workspace.allocate<float>("S", heads * shape.seq_q * shape.seq_k) == nullptr) {
    return cudaErrorMemoryAllocation;
  }
  return corpus::attention<corpus::Correct>(Q, K, V, O, shape, workspace, stream);
}
