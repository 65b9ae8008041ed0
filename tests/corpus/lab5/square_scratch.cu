// Takes room for P and dS, and does not even use it.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  const size_t scores = static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q * shape.seq_k;
  if (workspace.allocate<float>("P", scores) == nullptr) return cudaErrorMemoryAllocation;
  return corpus::backward<corpus::Correct>(shape, Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace,
                                           stream);
}
