// Divides O by l as a product with its reciprocal.
#include "base.cuh"

struct Reciprocal : corpus::Correct {
  static __device__ float new_o(float o_old, float pv, float alpha, float l_old, float l) {
    const float inverse = __frcp_rn(l);
    return alpha * l_old * inverse * o_old + pv * inverse;
  }
};

CORPUS_ENTRY(Reciprocal)
