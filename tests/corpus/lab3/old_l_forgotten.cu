// Does not multiply the old O by the old l.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float new_o(float o_old, float pv, float alpha, float, float l) {
    return (alpha * o_old + pv) / l;
  }
};

CORPUS_ENTRY(Wrong)
