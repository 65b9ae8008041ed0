// Rescales l but not O.
#include "base.cuh"

struct Wrong : corpus::Correct {
  static __device__ float new_o(float o_old, float pv, float, float l_old, float l) {
    return (l_old * o_old + pv) / l;
  }
};

CORPUS_ENTRY(Wrong)
