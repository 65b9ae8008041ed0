// Half precision (f16): every number, or hundreds of thousands of pairs and triples, through the
// functions of <cuda_fp16.h> and through instructions that it does not use.
#include "half_conversions.cuh"
#include "half_math.cuh"

CONVERSIONS(half, __half)

__device__ u32 tf32(float v) {
  u32 r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(v));
  return r;
}
__device__ u32 relu_pair(float upper, float lower) {
  u32 r;
  asm("cvt.rn.relu.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(upper), "f"(lower));
  return r;
}
__device__ u32 zero_pair(float upper, float lower) {
  u32 r;
  asm("cvt.rz.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(upper), "f"(lower));
  return r;
}
__device__ u16 power_of_two(u16 x) {
  u16 r;
  asm("ex2.approx.f16 %0, %1;" : "=h"(r) : "h"(x));
  return r;
}
__device__ u64 to_double(u16 x) {
  double r;
  asm("cvt.f64.f16 %0, %1;" : "=d"(r) : "h"(x));
  return bits_as<u64>(r);
}
__device__ u16 from_double(double v) {
  u16 r;
  asm("cvt.rp.f16.f64 %0, %1;" : "=h"(r) : "d"(v));
  return r;
}
DEVICE(Double, u64, (u16 x), to_double(x))
DEVICE(FromDouble, u16, (double v), from_double(v))
DEVICE(Tf32, u32, (float v), tf32(v))
DEVICE(ReluPair, u32, (float upper, float lower), relu_pair(upper, lower))
DEVICE(ZeroPair, u32, (float upper, float lower), zero_pair(upper, lower))
DEVICE(PowerOfTwo, u16, (u16 x), power_of_two(x))

void check_instructions() {
  using Ref = Reference<Half>;
  const std::vector<float> v = floats_to_round<Half, float, u32>();
  const std::vector<float> backwards(v.rbegin(), v.rend());
  check<Tf32>(
      [](float x) {
        const u32 bits = bits_as<u32>(x);
        return (std::isfinite(x) ? bits + 0x1000 : bits) & ~0x1FFFu;
      },
      v);
  check<Double>(
      [](u16 c) {
        const u64 nan = u64(c & 0x8000) << 48 | u64{0x7FF8} << 48 | u64(c & 0x3FF) << 42;
        return Ref::is_nan(c) ? nan : bits_as<u64>(Ref::value(c));
      },
      all_codes());
  check<FromDouble>(
      [](double x) {
        return std::isnan(x) ? Half::nan_from_double(bits_as<u64>(x)) : Ref::round(x, 0, Mode::Up);
      },
      floats_to_round<Half, double, u64>());
  check<ReluPair>(
      [](float upper, float lower) {
        const auto relu = [](float x) { return x < 0 ? 0u : Ref::round(x) & 0x7FFFu; };
        return relu(upper) << 16 | relu(lower);
      },
      v, backwards);
  check<ZeroPair>(
      [](float upper, float lower) {
        return u32(Ref::round(upper, 0, Mode::Zero)) << 16 | Ref::round(lower, 0, Mode::Zero);
      },
      v, backwards);
  HalfMath<Half>::close<PowerOfTwo>(std::exp2, 2);
}

int main() {
  HalfMath<Half>::arithmetic();
  HalfMath<Half>::comparisons();
  HalfMath<Half>::functions();
  check_conversions<Half, Conversions>();
  check_shuffles_and_atomics<Half>();
  check_instructions();
  return verdict();
}
