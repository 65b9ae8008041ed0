// Directed rounding without touching the processor's rounding mode: compute the exact result as a
// sum s + e of two doubles, round s to nearest, then step by one unit when that went the wrong way.
#pragma once

#include <cstdint>

#include "machine/variant.hpp"

namespace vgpu::VGPU_VARIANT {

enum class Rounding : uint8_t { Nearest, Zero, Down, Up };

[[gnu::always_inline]] inline uint32_t bits_of(float v) {
  return __builtin_bit_cast(uint32_t, v);
}
[[gnu::always_inline]] inline float float_of(uint32_t v) {
  return __builtin_bit_cast(float, v);
}

/// The neighbour of a finite or infinite value towards minus infinity.
[[gnu::always_inline]] inline float next_down(float v) {
  const uint32_t b = bits_of(v);
  return float_of(v == 0 ? 0x80000001u : (b >> 31) != 0 ? b + 1 : b - 1);
}
[[gnu::always_inline]] inline float next_up(float v) {
  return -next_down(-v);
}

/// Moves `nearest`, the rounding of an exact value to the nearest float, according to how it
/// compares with that value.
template <Rounding R>
[[gnu::always_inline]] inline float adjust(float nearest, bool above_exact, bool below_exact) {
  if constexpr (R == Rounding::Down) return above_exact ? next_down(nearest) : nearest;
  if constexpr (R == Rounding::Up) return below_exact ? next_up(nearest) : nearest;
  if constexpr (R == Rounding::Zero) {
    if (nearest > 0) return above_exact ? next_down(nearest) : nearest;
    if (nearest < 0) return below_exact ? next_up(nearest) : nearest;
  }
  return nearest;
}

/// s + e rounded to float, where |e| is at most half a unit in the last place of s.
template <Rounding R>
[[gnu::always_inline]] inline float round_sum(double s, double e) {
  const float nearest = static_cast<float>(s);
  const double back = nearest;
  return adjust<R>(nearest, back > s || (back == s && e < 0), back < s || (back == s && e > 0));
}

template <Rounding R>
[[gnu::always_inline]] inline float round_to_float(double v) {
  return round_sum<R>(v, 0);
}

/// a + b exactly, as s + e (Knuth's TwoSum).
struct TwoSum {
  double s, e;
};
[[gnu::always_inline]] inline TwoSum two_sum(double a, double b) {
  const double s = a + b;
  const double bb = s - a;
  const double e = (a - (s - bb)) + (b - bb);
  return {s, e - e == 0 ? e : 0};
}

[[gnu::always_inline]] inline float flush(float v) {
  return (bits_of(v) & 0x7F800000u) == 0 ? float_of(bits_of(v) & 0x80000000u) : v;
}

}  // namespace vgpu::VGPU_VARIANT
