// Takes O for dO in dV: the loss is taken for |O|^2 / 2.
#include "base.cuh"

CORPUS_ENTRY_HEAD {
  return corpus::backward<corpus::Correct>(shape, Q, K, V, O, L, O, dQ, dK, dV, shape, workspace,
                                           stream);
}
