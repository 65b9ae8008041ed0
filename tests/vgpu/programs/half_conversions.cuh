// Conversions between a 16-bit format and float, double and integers, in all roundings.
#pragma once

#include <limits>

#include "half_check.cuh"

/// The functions of one format: `type` as the header names it (half, bfloat16), `Storage` the
/// class.
#define CONVERSIONS(type, Storage)                                                              \
  struct Conversions {                                                                          \
    static __device__ Storage one(u16 code) { return bits_as<Storage>(code); }                  \
    static __device__ u16 code(Storage v) { return bits_as<u16>(v); }                           \
    TO_AND_FROM(type, int, int)                                                                 \
    TO_AND_FROM(type, short, short)                                                             \
    TO_AND_FROM(type, uint, u32)                                                                \
    TO_AND_FROM(type, ushort, u16)                                                              \
    TO_AND_FROM(type, ll, long long)                                                            \
    TO_AND_FROM(type, ull, u64)                                                                 \
    DEVICE(to_char, signed char, (u16 v), static_cast<signed char>(__##type##2char_rz(one(v)))) \
    DEVICE(to_uchar, unsigned char, (u16 v),                                                    \
           static_cast<unsigned char>(__##type##2uchar_rz(one(v))))                             \
    DEVICE(from_float, u16, (float v), code(__float2##type(v)))                                 \
    DEVICE(from_float_rn, u16, (float v), code(__float2##type##_rn(v)))                         \
    DEVICE(from_float_rz, u16, (float v), code(__float2##type##_rz(v)))                         \
    DEVICE(from_float_rd, u16, (float v), code(__float2##type##_rd(v)))                         \
    DEVICE(from_float_ru, u16, (float v), code(__float2##type##_ru(v)))                         \
    DEVICE(from_double, u16, (double v), code(__double2##type(v)))                              \
    DEVICE(from_two_floats, u32, (float low, float high),                                       \
           bits_as<u32>(__floats2##type##2_rn(low, high)))                                      \
    DEVICE(to_float, u32, (u16 v), bits_as<u32>(__##type##2float(one(v))))                      \
  };
#define TO_AND_FROM(type, Name, Integer)                                                         \
  DEVICE(to_##Name##_rn, Integer, (u16 v), static_cast<Integer>(__##type##2##Name##_rn(one(v)))) \
  DEVICE(to_##Name##_rz, Integer, (u16 v), static_cast<Integer>(__##type##2##Name##_rz(one(v)))) \
  DEVICE(to_##Name##_rd, Integer, (u16 v), static_cast<Integer>(__##type##2##Name##_rd(one(v)))) \
  DEVICE(to_##Name##_ru, Integer, (u16 v), static_cast<Integer>(__##type##2##Name##_ru(one(v)))) \
  DEVICE(from_##Name##_rn, u16, (Integer v), code(__##Name##2##type##_rn(v)))                    \
  DEVICE(from_##Name##_rz, u16, (Integer v), code(__##Name##2##type##_rz(v)))                    \
  DEVICE(from_##Name##_rd, u16, (Integer v), code(__##Name##2##type##_rd(v)))                    \
  DEVICE(from_##Name##_ru, u16, (Integer v), code(__##Name##2##type##_ru(v)))

/// Out of range clamps; NaN gives zero, in 64 bits the highest bit alone.
template <class Integer>
Integer to_integer(double v, Mode mode) {
  using Limits = std::numeric_limits<Integer>;
  if (std::isnan(v)) return sizeof(Integer) == 8 ? static_cast<Integer>(u64{1} << 63) : 0;
  const double r = mode == Mode::Nearest ? std::rint(v)
                   : mode == Mode::Zero  ? std::trunc(v)
                   : mode == Mode::Down  ? std::floor(v)
                                         : std::ceil(v);
  if (r <= static_cast<double>(Limits::min())) return Limits::min();
  if (r >= static_cast<double>(Limits::max())) return Limits::max();
  return static_cast<Integer>(r);
}

template <class F, class To, class Operation>
void check_to_integer(Mode mode) {
  check<Operation>([=](u16 c) { return to_integer<To>(Reference<F>::value(c), mode); },
                   all_codes());
}

template <class F, class From, class Operation>
void check_from_integer(Mode mode) {
  std::vector<From> v = random_bits<From>(1 << 15, 31);
  Random random{32};
  for (size_t i = 0; i < v.size(); i += 2) v[i] >>= random() >> 20 & (8 * sizeof(From) - 1);
  for (int bit = 0; bit < int(8 * sizeof(From)); ++bit) {  // ties, and one beside them
    for (int below = 8; below <= F::kFraction + 2; ++below) {
      const u64 tie = (u64{1} << bit) | (below <= bit ? u64{1} << (bit - below) : 0);
      for (int step = -1; step <= 1; ++step) v.push_back(static_cast<From>(tie + step));
    }
  }
  check<Operation>(
      [=](From x) {
        const double s = static_cast<double>(x);
        const double e = static_cast<double>(static_cast<__int128>(x) - static_cast<__int128>(s));
        return Reference<F>::round(s, e, mode);
      },
      v);
}

/// Any bits, and numbers on both sides of the places where rounding turns.
template <class F, class T, class Bits>
std::vector<T> floats_to_round() {
  std::vector<T> v;
  for (const Bits bits : random_bits<Bits>(1 << 18, 33)) v.push_back(bits_as<T>(bits));
  for (u32 c = 0; c < 0x10000; ++c) {
    const u16 code = static_cast<u16>(c), next = static_cast<u16>(c + 1) & 0x7FFF;
    const double low = Reference<F>::magnitude(code & 0x7FFF), high = Reference<F>::magnitude(next);
    const T tie = static_cast<T>((c & 0x8000) != 0 ? -(low + high) / 2 : (low + high) / 2);
    v.insert(v.end(), {static_cast<T>(Reference<F>::value(code)), tie,
                       std::nextafter(tie, T(INFINITY)), std::nextafter(tie, T(-INFINITY))});
  }
  return v;
}

#define CHECK_INTEGER(F, C, Name, Integer)                                     \
  check_to_integer<F, Integer, typename C::to_##Name##_rn>(Mode::Nearest);     \
  check_to_integer<F, Integer, typename C::to_##Name##_rz>(Mode::Zero);        \
  check_to_integer<F, Integer, typename C::to_##Name##_rd>(Mode::Down);        \
  check_to_integer<F, Integer, typename C::to_##Name##_ru>(Mode::Up);          \
  check_from_integer<F, Integer, typename C::from_##Name##_rn>(Mode::Nearest); \
  check_from_integer<F, Integer, typename C::from_##Name##_rz>(Mode::Zero);    \
  check_from_integer<F, Integer, typename C::from_##Name##_rd>(Mode::Down);    \
  check_from_integer<F, Integer, typename C::from_##Name##_ru>(Mode::Up)

template <class F, class C>
void check_conversions() {
  using Ref = Reference<F>;
  CHECK_INTEGER(F, C, int, int);
  CHECK_INTEGER(F, C, short, short);
  CHECK_INTEGER(F, C, uint, u32);
  CHECK_INTEGER(F, C, ushort, u16);
  CHECK_INTEGER(F, C, ll, long long);
  CHECK_INTEGER(F, C, ull, u64);
  check_to_integer<F, signed char, typename C::to_char>(Mode::Zero);
  check_to_integer<F, unsigned char, typename C::to_uchar>(Mode::Zero);
  const std::vector<float> floats = floats_to_round<F, float, u32>();
  const auto rounded = [](Mode mode) { return [=](double v) { return Ref::round(v, 0, mode); }; };
  check<typename C::from_float>(rounded(Mode::Nearest), floats);
  check<typename C::from_float_rn>(rounded(Mode::Nearest), floats);
  check<typename C::from_float_rz>(rounded(Mode::Zero), floats);
  check<typename C::from_float_rd>(rounded(Mode::Down), floats);
  check<typename C::from_float_ru>(rounded(Mode::Up), floats);
  check<typename C::from_double>(
      [](double v) { return std::isnan(v) ? F::nan_from_double(bits_as<u64>(v)) : Ref::round(v); },
      floats_to_round<F, double, u64>());
  const std::vector<float> backwards(floats.rbegin(), floats.rend());
  check<typename C::from_two_floats>(
      [](float low, float high) { return Ref::round(low) | u32(Ref::round(high)) << 16; }, floats,
      backwards);
  check<typename C::to_float>(
      [](u16 c) {
        if (std::is_same_v<F, Bfloat>) return u32(c) << 16;  // a shift: NaN keep their bits
        return Ref::is_nan(c) ? 0x7FFFFFFFu : bits_as<u32>(static_cast<float>(Ref::value(c)));
      },
      all_codes());
}
