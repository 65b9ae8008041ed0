// bfloat16: every number, or hundreds of thousands of pairs and triples, through the functions of
// <cuda_bf16.h> and through instructions that it does not use.
#include "half_conversions.cuh"
#include "half_math.cuh"

CONVERSIONS(bfloat16, __nv_bfloat16)

__device__ u16 relu(float v) {
  u16 r;
  asm("cvt.rn.relu.bf16.f32 %0, %1;" : "=h"(r) : "f"(v));
  return r;
}
__device__ u32 relu_pair(float upper, float lower) {
  u32 r;
  asm("cvt.rz.relu.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(upper), "f"(lower));
  return r;
}
DEVICE(Relu, u16, (float v), relu(v))
DEVICE(ReluPair, u32, (float upper, float lower), relu_pair(upper, lower))

void check_instructions() {
  using Ref = Reference<Bfloat>;
  const auto positive = [](float x, Mode mode) {
    return x < 0 ? 0u : Ref::round(x, 0, mode) & 0x7FFFu;
  };
  const std::vector<float> v = floats_to_round<Bfloat, float, u32>();
  const std::vector<float> backwards(v.rbegin(), v.rend());
  check<Relu>([=](float x) { return positive(x, Mode::Nearest); }, v);
  check<ReluPair>(
      [=](float upper, float lower) {
        return positive(upper, Mode::Zero) << 16 | positive(lower, Mode::Zero);
      },
      v, backwards);
}

int main() {
  HalfMath<Bfloat>::arithmetic();
  HalfMath<Bfloat>::comparisons();
  HalfMath<Bfloat>::functions();
  check_conversions<Bfloat, Conversions>();
  check_shuffles_and_atomics<Bfloat>();
  check_instructions();
  return verdict();
}
