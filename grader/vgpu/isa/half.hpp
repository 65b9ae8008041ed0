// Half precision as numbers: the two 16-bit formats, and how wider results are rounded to them
// once.
#pragma once

#include <cstdint>

#include "isa/rounding.hpp"

namespace vgpu::VGPU_VARIANT {

/// What to add to a magnitude before its lowest `shift` bits are dropped.
template <Rounding R>
[[gnu::always_inline]] inline uint32_t rounding_increment(uint32_t magnitude, bool negative,
                                                          int shift) {
  const uint32_t all = (uint32_t{1} << shift) - 1;
  if constexpr (R == Rounding::Nearest) return (all >> 1) + (magnitude >> shift & 1);
  if constexpr (R == Rounding::Up) return negative ? 0 : all;
  if constexpr (R == Rounding::Down) return negative ? all : 0;
  return 0;
}

/// A magnitude below 2^-14 in units of 2^-24, rounded.
template <Rounding R>
[[gnu::always_inline]] inline uint32_t denormal_units(float magnitude, bool negative) {
  // In the range of 1/2 to 1 a float's last place is 2^-24: the sum has the units in its fraction.
  if constexpr (R == Rounding::Nearest) return bits_of(magnitude + 0.5f) - bits_of(0.5f);
  const float units = magnitude * 0x1p24f;
  const bool away = negative ? R == Rounding::Down : R == Rounding::Up;
  return static_cast<uint32_t>(away ? __builtin_ceilf(units) : __builtin_truncf(units));
}

/// IEEE 754 binary16: 5 bits of exponent, 10 of fraction.
struct F16 {
  static constexpr uint16_t kNan = 0x7FFF;  ///< the hardware's NaN
  static constexpr uint16_t kOne = 0x3C00;
  static constexpr int kFraction = 10;

  /// The same number as a float, exactly; NaN becomes the hardware's NaN.
  [[gnu::always_inline]] static float widen(uint16_t h) {
    constexpr uint32_t kRebias = (127 - 15) << 23;
    constexpr uint32_t kSmallestNormal = 0x38800000;  // 2^-14
    const uint32_t magnitude = static_cast<uint32_t>(h & 0x7FFF) << 13;
    const uint32_t denormal = bits_of(float_of(kSmallestNormal | magnitude) -
                                      float_of(kSmallestNormal));  // exact: a multiple of 2^-24
    const uint32_t special = magnitude == 0x0F800000u ? 0x7F800000u : 0x7FFFFFFFu;
    const uint32_t finite = magnitude < 0x00800000u ? denormal : magnitude + kRebias;
    const uint32_t sign = magnitude > 0x0F800000u ? 0 : static_cast<uint32_t>(h & 0x8000) << 16;
    return float_of(sign | (magnitude < 0x0F800000u ? finite : special));
  }

  template <Rounding R = Rounding::Nearest>
  [[gnu::always_inline]] static uint16_t narrow(float v) {
    constexpr uint32_t kRebias = (127 - 15) << 23;
    const uint32_t magnitude = bits_of(v) & 0x7FFFFFFFu;
    const bool negative = bits_of(v) >> 31 != 0;
    const uint32_t normal =
        (magnitude + rounding_increment<R>(magnitude, negative, 13) - kRebias) >> 13;
    const bool is_small = magnitude < 0x38800000u;
    const uint32_t denormal = denormal_units<R>(float_of(is_small ? magnitude : 0), negative);
    const bool overflows_to_infinity = R == Rounding::Nearest || (R == Rounding::Up && !negative) ||
                                       (R == Rounding::Down && negative) ||
                                       magnitude == 0x7F800000u;
    const uint32_t large = overflows_to_infinity ? 0x7C00 : 0x7BFF;
    const uint32_t number = is_small ? denormal : magnitude < 0x47800000u ? normal : large;
    const uint32_t sign = negative ? 0x8000 : 0;
    return static_cast<uint16_t>(magnitude > 0x7F800000u ? kNan : sign | number);
  }
};

/// bfloat16: the upper half of a float.
struct Bf16 {
  static constexpr uint16_t kNan = 0x7FFF;
  static constexpr uint16_t kOne = 0x3F80;
  static constexpr int kFraction = 7;

  /// The same number as a float, exactly; NaN keeps its bits.
  [[gnu::always_inline]] static float widen(uint16_t h) {
    return float_of(static_cast<uint32_t>(h) << 16);
  }

  template <Rounding R = Rounding::Nearest>
  [[gnu::always_inline]] static uint16_t narrow(float v) {
    const uint32_t magnitude = bits_of(v) & 0x7FFFFFFFu;
    const bool negative = bits_of(v) >> 31 != 0;
    const uint32_t number = (magnitude + rounding_increment<R>(magnitude, negative, 16)) >> 16;
    const uint32_t sign = negative ? 0x8000 : 0;
    return static_cast<uint16_t>(magnitude > 0x7F800000u ? kNan : sign | number);
  }
};

// Rounding twice is as good as rounding once when the first step rounds to odd: an inexact result
// gets an odd last bit, which no later step can take for a tie (Boldo and Melquiond, "Emulation of
// FMA and correctly rounded sums", IEEE Transactions on Computers 57(4), 2008).

/// A double rounded to odd in single precision.
[[gnu::always_inline]] inline float odd_float(double v) {
  const float nearest = static_cast<float>(v);
  const double back = nearest;
  const uint32_t bits = bits_of(nearest);
  const uint32_t truncated = __builtin_fabs(back) > __builtin_fabs(v) ? bits - 1 : bits;
  return float_of(back == v || v != v ? bits : truncated | 1);
}

/// a + b rounded to odd in double precision.
[[gnu::always_inline]] inline double odd_sum(double a, double b) {
  const double s = a + b;
  const double bb = s - a;
  const double e = (a - (s - bb)) + (b - bb);  // exact: s + e = a + b; NaN when s is not finite
  const auto bits = __builtin_bit_cast(int64_t, s);
  const int64_t towards_e = (bits ^ __builtin_bit_cast(int64_t, e)) < 0 ? -1 : 1;
  const int64_t odd = bits + (1 - (bits & 1)) * towards_e;
  return __builtin_fabs(e) > 0 ? __builtin_bit_cast(double, odd) : s;
}

/// A function of two 16-bit numbers applied to both halves of registers.
template <auto F>
[[gnu::always_inline]] inline uint32_t both(uint32_t a, uint32_t b) {
  const uint32_t low = F(static_cast<uint16_t>(a), static_cast<uint16_t>(b));
  const uint32_t high = F(static_cast<uint16_t>(a >> 16), static_cast<uint16_t>(b >> 16));
  return low | high << 16;
}

// A sum or product of two 16-bit numbers, rounded to a float first, rounds to the same 16 bits as
// the exact value: a float has more than twice the bits of either format plus two (Figueroa, "When
// is double rounding innocuous?", SIGNUM Newsletter 30(3), 1995).
template <class H>
[[gnu::always_inline]] inline uint16_t half_add(uint16_t a, uint16_t b) {
  return H::narrow(H::widen(a) + H::widen(b));
}

}  // namespace vgpu::VGPU_VARIANT
