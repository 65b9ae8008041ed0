// Stores dK where dV belongs, and the other way round.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  return corpus::backward<corpus::Correct>(shape, Q, K, V, O, L, dO, dQ, dV, dK, shape, workspace,
                                           stream);
}
