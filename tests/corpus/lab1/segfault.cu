// Writes through a null pointer in host code.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  volatile int* lengths = nullptr;
  lengths[0] = shape.seq_k;
  return corpus::attention<corpus::Correct>(Q, K, V, O, shape, workspace, stream);
}
