// Takes K for V.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  return corpus::backward<corpus::Correct>(shape, Q, K, K, O, L, dO, dQ, dK, dV, shape, workspace,
                                           stream);
}
