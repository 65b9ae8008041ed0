// Directed rounding. Arithmetic switches the processor's rounding mode for the 32 lanes of an
// instruction; conversions round to nearest and step by one unit when that went the wrong way.
#pragma once

#include <cfenv>
#include <cstdint>

#include "machine/variant.hpp"
#include "machine/vector.hpp"

namespace vgpu::VGPU_VARIANT {

enum class Rounding : uint8_t { Nearest, Zero, Down, Up };

/// Rounds as R while it lives. Operands have to be read from memory and results written to it
/// meanwhile: that is all that keeps the compiler from moving the arithmetic elsewhere.
template <Rounding R>
class RoundingMode {
 public:
#if defined(__x86_64__)
  RoundingMode() : before_(_mm_getcsr()) {
    constexpr uint32_t kMode = R == Rounding::Zero   ? _MM_ROUND_TOWARD_ZERO
                               : R == Rounding::Down ? _MM_ROUND_DOWN
                                                     : _MM_ROUND_UP;
    _mm_setcsr((before_ & ~uint32_t{_MM_ROUND_MASK}) | kMode);
    fence();
  }
  ~RoundingMode() {
    fence();
    _mm_setcsr(before_);
  }
#else
  RoundingMode() : before_(std::fegetround()) {
    std::fesetround(R == Rounding::Zero   ? FE_TOWARDZERO
                    : R == Rounding::Down ? FE_DOWNWARD
                                          : FE_UPWARD);
    fence();
  }
  ~RoundingMode() {
    fence();
    std::fesetround(before_);
  }
#endif
  RoundingMode(const RoundingMode&) = delete;
  RoundingMode& operator=(const RoundingMode&) = delete;

 private:
  static void fence() {
    asm volatile("" ::: "memory");
  }
#if defined(__x86_64__)
  uint32_t before_;
#else
  int before_;
#endif
};
template <>
class RoundingMode<Rounding::Nearest> {};

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

template <Rounding R>
[[gnu::always_inline]] inline float round_to_float(double v) {
  const float nearest = static_cast<float>(v);
  return adjust<R>(nearest, nearest > v, nearest < v);
}

[[gnu::always_inline]] inline float flush(float v) {
  return (bits_of(v) & 0x7F800000u) == 0 ? float_of(bits_of(v) & 0x80000000u) : v;
}

}  // namespace vgpu::VGPU_VARIANT
