// Conversions to and from half precision, and to tf32 (PTX ISA 9.0, section 9.7.9, cvt).
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "isa/half.hpp"
#include "isa/map.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using u8 = uint8_t;
using s8 = int8_t;
using u16 = uint16_t;
using s16 = int16_t;
using u32 = uint32_t;
using s32 = int32_t;
using u64 = uint64_t;
using s64 = int64_t;
using f32 = float;
using f64 = double;

/// An integer rounded to odd in double precision: only 64-bit integers can be inexact.
template <class T>
inline f64 odd_double(T v) {
  if constexpr (sizeof(T) < 8) {
    return v;
  } else {
    constexpr T kLow = 0x7FF;  // a sum of two parts that doubles hold exactly
    return odd_sum(static_cast<f64>(v & ~kLow), static_cast<f64>(v & kLow));
  }
}

// To and from f64 a NaN keeps its sign and the upper part of its fraction, and becomes quiet.
template <class H>
inline u16 narrow_nan(f64 nan) {
  constexpr u64 kQuiet = 0x7FFF >> (H::kFraction - 1) << (H::kFraction - 1);
  const auto bits = __builtin_bit_cast(u64, nan);
  return static_cast<u16>((bits >> 48 & 0x8000) | kQuiet | (bits >> (52 - H::kFraction) & 0x7FFF));
}
template <class H>
inline f64 widen_nan(u16 nan) {
  const u64 sign = static_cast<u64>(nan & 0x8000) << 48;
  const u64 fraction = static_cast<u64>(nan & 0x7FFF) << (52 - H::kFraction);
  return __builtin_bit_cast(f64, sign | 0x7FF8000000000000u | fraction);
}

template <class H, Rounding R, class From>
inline u16 to_half(From v) {
  if constexpr (std::is_same_v<From, f32>) {
    return H::template narrow<R>(v);
  } else if constexpr (std::is_same_v<From, f64>) {
    return v != v ? narrow_nan<H>(v) : H::template narrow<R>(odd_float(v));
  } else {
    return H::template narrow<R>(odd_float(odd_double(v)));
  }
}
template <class H>
inline f64 to_double(u16 v) {
  const f64 number = H::widen(v);
  return number != number ? widen_nan<H>(v) : number;
}

template <Rounding R>
inline f32 integral(f32 v) {
  if constexpr (R == Rounding::Zero) return __builtin_truncf(v);
  if constexpr (R == Rounding::Down) return __builtin_floorf(v);
  if constexpr (R == Rounding::Up) return __builtin_ceilf(v);
  return __builtin_rintf(v);
}
template <class H, Rounding R>
inline u16 round_half(u16 v) {
  return H::narrow(integral<R>(H::widen(v)));
}

/// Out of range clamps; NaN gives zero, in 64 bits the highest bit alone.
template <class H, Rounding R, class To>
inline To to_integer(u16 v) {
  using Limits = std::numeric_limits<To>;
  const f32 r = integral<R>(H::widen(v));
  if (r != r) return sizeof(To) == 8 ? static_cast<To>(u64{1} << 63) : To{0};
  if (r <= static_cast<f32>(Limits::min())) return Limits::min();
  if (r >= static_cast<f32>(Limits::max())) return Limits::max();
  return static_cast<To>(r);
}

template <class H, Rounding R>
inline u16 relu(f32 v) {
  const u16 r = H::template narrow<R>(v);
  return r == H::kNan || r < 0x8000 ? r : 0;
}
/// Two floats in one register: the first is the upper half.
template <class H, auto F>
inline u32 pair(f32 upper, f32 lower) {
  return static_cast<u32>(F(upper)) << 16 | F(lower);
}

/// tf32 keeps 10 bits of fraction; ties go away from zero. NaN is cut off like any other number.
inline u32 to_tf32(u32 v) {
  const bool is_special = (v & 0x7F800000u) == 0x7F800000u;
  return (is_special ? v : v + 0x1000) & 0xFFFFE000u;
}

/// The destination may be wider than the integer (c = its bytes): the result is extended by its
/// own signedness.
template <auto F, class To>
const Op* half_to_integer(Warp& w, const Op* op) {
  const u16* a = w.lanes<u16>(op->a);
  if (op->c == 2) write_lanes<u16>(w, op->d, [&](int i) { return static_cast<u16>(F(a[i])); });
  if (op->c == 4) write_lanes<u32>(w, op->d, [&](int i) { return static_cast<u32>(F(a[i])); });
  if (op->c == 8) write_lanes<u64>(w, op->d, [&](int i) { return static_cast<u64>(F(a[i])); });
  return next(w, op + 1);
}

constexpr auto kConvert = InstructionClass::Convert;

#define EACH_ROUNDING(X, ...)                                                            \
  X("rn", Nearest, __VA_ARGS__), X("rz", Zero, __VA_ARGS__), X("rm", Down, __VA_ARGS__), \
      X("rp", Up, __VA_ARGS__)
#define TO_HALF(mode, R, type, H, From, width)                                                   \
  {                                                                                              \
    "cvt." mode "." type "." #From, map1<to_half<H, Rounding::R, From>, u16, From>, "d2s" width, \
        kConvert                                                                                 \
  }
#define TO_INTEGER(mode, R, type, H, To)                                                       \
  {                                                                                            \
    "cvt." mode "i." #To "." type, half_to_integer<to_integer<H, Rounding::R, To>, To>, "ds2", \
        kConvert                                                                               \
  }
#define ROUND_HALF(mode, R, type, H) \
  { "cvt." mode "i." type "." type, map1<round_half<H, Rounding::R>, u16, u16>, "d2s2", kConvert }
#define FROM_FLOAT(mode, R, type, H)                                                              \
  {"cvt." mode ".relu." type ".f32", map1<relu<H, Rounding::R>, u16, f32>, "d2s4", kConvert},     \
      {"cvt." mode "." type "x2.f32", map2<pair<H, to_half<H, Rounding::R, f32>>, u32, f32, f32>, \
       "d4s4s4", kConvert},                                                                       \
  {                                                                                               \
    "cvt." mode ".relu." type "x2.f32", map2<pair<H, relu<H, Rounding::R>>, u32, f32, f32>,       \
        "d4s4s4", kConvert                                                                        \
  }
#define FORMAT(type, H)                                                                     \
  EACH_ROUNDING(TO_HALF, type, H, f32, "4"), EACH_ROUNDING(TO_HALF, type, H, f64, "8"),     \
      EACH_ROUNDING(TO_HALF, type, H, u16, "2"), EACH_ROUNDING(TO_HALF, type, H, s16, "2"), \
      EACH_ROUNDING(TO_HALF, type, H, u32, "4"), EACH_ROUNDING(TO_HALF, type, H, s32, "4"), \
      EACH_ROUNDING(TO_HALF, type, H, u64, "8"), EACH_ROUNDING(TO_HALF, type, H, s64, "8"), \
      EACH_ROUNDING(TO_INTEGER, type, H, u8), EACH_ROUNDING(TO_INTEGER, type, H, s8),       \
      EACH_ROUNDING(TO_INTEGER, type, H, u16), EACH_ROUNDING(TO_INTEGER, type, H, s16),     \
      EACH_ROUNDING(TO_INTEGER, type, H, u32), EACH_ROUNDING(TO_INTEGER, type, H, s32),     \
      EACH_ROUNDING(TO_INTEGER, type, H, u64), EACH_ROUNDING(TO_INTEGER, type, H, s64),     \
      EACH_ROUNDING(ROUND_HALF, type, H), FROM_FLOAT("rn", Nearest, type, H),               \
      FROM_FLOAT("rz", Zero, type, H),                                                      \
      {"cvt.f32." type, map1<H::widen, f32, u16>, "d4s2", kConvert}, {                      \
    "cvt.f64." type, map1<to_double<H>, f64, u16>, "d8s2", kConvert                         \
  }

constexpr isa::Form kForms[] = {
    FORMAT("f16", F16),
    FORMAT("bf16", Bf16),
    {"cvt.rna.tf32.f32", map1<to_tf32, u32, u32>, "d4s4", kConvert},
};

}  // namespace

extern const isa::FormList half_convert_forms;
const isa::FormList half_convert_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
