// A 16-bit floating-point type against an independent reference on the host: values by the
// definition of the format, rounding by a search among all numbers of the format.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>

#include "program.cuh"

using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;

enum class Mode { Nearest, Zero, Down, Up };

/// The formats: bits of the fraction, bias of the exponent, and the types that hold one and two.
struct Half {
  using One = __half;
  using Two = __half2;
  static constexpr int kFraction = 10, kBias = 15;
  /// A NaN keeps its sign and the upper part of its fraction, and becomes quiet.
  static u16 nan_from_double(u64 bits) {
    return (bits >> 48 & 0x8000) | 0x7E00 | (bits >> 42 & 0x3FF);
  }
};
struct Bfloat {
  using One = __nv_bfloat16;
  using Two = __nv_bfloat162;
  static constexpr int kFraction = 7, kBias = 127;
  static u16 nan_from_double(u64) { return 0x7FFF; }
};

template <class To, class From>
__host__ __device__ To bits_as(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

constexpr u16 kNan = 0x7FFF;  // the NaN that arithmetic returns

template <class F>
struct Reference {
  static constexpr u16 kInfinity = 0x7FFF >> F::kFraction << F::kFraction;
  static constexpr u16 kOne = F::kBias << F::kFraction;

  static bool is_nan(u16 code) { return (code & 0x7FFF) > kInfinity; }

  /// The number that a code stands for; for infinity the power of two behind the largest number.
  static double magnitude(u16 code) {
    const int exponent = code >> F::kFraction, fraction = code & ((1 << F::kFraction) - 1);
    const int scale = (exponent == 0 ? 1 : exponent) - F::kBias - F::kFraction;
    return std::ldexp((exponent == 0 ? 0 : 1 << F::kFraction) + fraction, scale);
  }
  static double value(u16 code) {
    if (is_nan(code)) return NAN;
    const double m = (code & 0x7FFF) == kInfinity ? INFINITY : magnitude(code & 0x7FFF);
    return (code & 0x8000) != 0 ? -m : m;
  }

  /// The exact number s + e rounded; e is at most half a unit in the last place of s.
  static u16 round(double s, double e = 0, Mode mode = Mode::Nearest) {
    if (std::isnan(s)) return kNan;
    if (std::signbit(s)) {
      mode = mode == Mode::Down ? Mode::Up : mode == Mode::Up ? Mode::Down : mode;
      return 0x8000 | round(-s, -e, mode);
    }
    if (std::isinf(s)) return kInfinity;
    const auto above = [&](double x) { return s > x || (s == x && e > 0); };
    u16 below = 0, step = 0x4000;  // the largest code that is not above s + e
    for (; step != 0; step >>= 1) {
      const u16 next = below + step;
      const bool is_above = above(magnitude(next)) || (s == magnitude(next) && e == 0);
      if (next < kInfinity && is_above) below = next;
    }
    if (s == magnitude(below) && e == 0) return below;
    if (mode == Mode::Zero || mode == Mode::Down) return below;
    if (mode == Mode::Up) return below + 1;
    const double middle = (magnitude(below) + magnitude(below + 1)) / 2;
    const bool is_tie = s == middle && e == 0;
    return is_tie ? below + (below & 1) : above(middle) ? below + 1 : below;
  }
  static u16 sum(double a, double b) {
    const double s = a + b, bb = s - a, e = (a - (s - bb)) + (b - bb);
    return round(s, std::isfinite(s) ? e : 0);
  }

  /// Numbers at the edges of the format, both signs.
  static std::vector<u16> edges() {
    const u16 normal = 1 << F::kFraction, half = kOne - normal;
    std::vector<u16> codes = {0,
                              1,
                              2,
                              3,
                              normal - 1,
                              normal,
                              normal + 1,
                              half,
                              kOne - 1,
                              kOne,
                              kOne + 1,
                              kOne + normal,
                              kInfinity - 2,
                              kInfinity - 1,
                              kInfinity,
                              kInfinity + 1,
                              kNan,
                              u16(kOne + 3)};
    const size_t count = codes.size();
    for (size_t i = 0; i < count; ++i) codes.push_back(codes[i] | 0x8000);
    return codes;
  }
};

/// Steps between two codes; NaN only matches NaN.
inline int distance(u16 a, u16 b, bool a_is_nan, bool b_is_nan) {
  if (a_is_nan || b_is_nan) return a_is_nan && b_is_nan ? 0 : 0x10000;
  const auto place = [](u16 c) { return (c & 0x8000) != 0 ? -(c & 0x7FFF) : int(c); };
  return std::abs(place(a) - place(b));
}

template <class F, class R, class... A>
__global__ void apply(int n, R* out, const A*... in) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = F::run(in[i]...);
}

/// F::run of every element, on the device.
template <class F, class A, class... B>
auto evaluate(const std::vector<A>& a, const std::vector<B>&... b) {
  using R = decltype(F::run(A(), B()...));
  const int n = static_cast<int>(a.size());
  DeviceArray<R> out(a.size());
  const auto launch = [&](DeviceArray<A>&& x, DeviceArray<B>&&... y) {
    apply<F><<<(n + 255) / 256, 256>>>(n, out.data(), x.data(), y.data()...);
    finish_kernels();
  };
  launch(DeviceArray<A>(a), DeviceArray<B>(b)...);
  return out.host();
}

/// F::run on the device against `want` on the host, bit by bit.
template <class F, class Want, class A, class... B>
void check(Want want, const std::vector<A>& a, const std::vector<B>&... b) {
  const auto got = evaluate<F>(a, b...);
  auto expected = got;
  for (size_t i = 0; i < got.size(); ++i) expected[i] = want(a[i], b[i]...);
  expect(F::name(), got, expected);
}

/// A function for the device, with a name to report.
#define DEVICE(Name, Result, parameters, ...)                       \
  struct Name {                                                     \
    static const char* name() { return #Name; }                     \
    static __device__ Result run parameters { return __VA_ARGS__; } \
  };

/// All 65536 codes.
inline std::vector<u16> all_codes() {
  std::vector<u16> codes(0x10000);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<u16>(i);
  return codes;
}

/// Reproducible random bits.
struct Random {
  u64 state;
  u64 operator()() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state ^ state >> 31;
  }
};
template <class T>
std::vector<T> random_bits(size_t count, u64 seed) {
  std::vector<T> result(count);
  Random random{seed};
  for (T& x : result) x = static_cast<T>(random());
  return result;
}
