// Never stores dQ.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  float* scratch = workspace.allocate<float>(
      "dQ", static_cast<size_t>(shape.batch) * shape.heads * shape.seq_q * shape.head_dim);
  return corpus::backward<corpus::Correct>(shape, Q, K, V, O, L, dO, scratch, dK, dV, shape,
                                           workspace, stream);
}
