// Integer arithmetic (PTX ISA 9.0, sections 9.7.1 and 9.7.2).
#include <cstdint>

#include "isa/map.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using u16 = uint16_t;
using s16 = int16_t;
using u32 = uint32_t;
using s32 = int32_t;
using u64 = uint64_t;
using s64 = int64_t;

template <class T>
struct UnsignedOf;
template <>
struct UnsignedOf<u16> {
  using type = u16;
};
template <>
struct UnsignedOf<s16> {
  using type = u16;
};
template <>
struct UnsignedOf<u32> {
  using type = u32;
};
template <>
struct UnsignedOf<s32> {
  using type = u32;
};
template <>
struct UnsignedOf<u64> {
  using type = u64;
};
template <>
struct UnsignedOf<s64> {
  using type = u64;
};
template <class T>
using Unsigned = typename UnsignedOf<T>::type;

// Wrapping arithmetic goes through the unsigned type: signed overflow is undefined in C++. 16-bit
// values promote to int.
template <class T>
constexpr T add(T a, T b) {
  return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
}
template <class T>
constexpr T sub(T a, T b) {
  return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
}
template <class T>
constexpr T mul_lo(T a, T b) {
  return static_cast<T>(static_cast<u64>(static_cast<Unsigned<T>>(a)) *
                        static_cast<Unsigned<T>>(b));
}
// 32-bit products stay 32 bits wide so that the loop vectorises.
template <>
constexpr u32 mul_lo(u32 a, u32 b) {
  return a * b;
}
template <>
constexpr s32 mul_lo(s32 a, s32 b) {
  return static_cast<s32>(static_cast<u32>(a) * static_cast<u32>(b));
}

constexpr u16 mul_hi(u16 a, u16 b) {
  return static_cast<u16>(u32{a} * b >> 16);
}
constexpr s16 mul_hi(s16 a, s16 b) {
  return static_cast<s16>(s32{a} * b >> 16);
}
constexpr u32 mul_hi(u32 a, u32 b) {
  return static_cast<u32>(u64{a} * b >> 32);
}
constexpr s32 mul_hi(s32 a, s32 b) {
  return static_cast<s32>(s64{a} * b >> 32);
}
constexpr u64 mul_hi(u64 a, u64 b) {
  return static_cast<u64>(static_cast<unsigned __int128>(a) * b >> 64);
}
constexpr s64 mul_hi(s64 a, s64 b) {
  return static_cast<s64>(static_cast<__int128>(a) * b >> 64);
}
template <class T>
constexpr T mul_high(T a, T b) {
  return mul_hi(a, b);
}

template <class W, class T>
constexpr W mul_wide(T a, T b) {
  return static_cast<W>(a) * static_cast<W>(b);
}
template <class T>
constexpr T mad_lo(T a, T b, T c) {
  return add<T>(mul_lo<T>(a, b), c);
}
template <class T>
constexpr T mad_high(T a, T b, T c) {
  return add<T>(mul_hi(a, b), c);
}
template <class W, class T>
constexpr W mad_wide(T a, T b, W c) {
  return add<W>(static_cast<W>(a) * static_cast<W>(b), c);
}
template <class T>
constexpr T low24(T a) {
  return static_cast<T>(static_cast<T>(static_cast<u32>(a) << 8) >> 8);
}
template <class T>
constexpr T mul24_lo(T a, T b) {
  return mul_lo<T>(low24(a), low24(b));
}
template <class T>
constexpr T mad24_lo(T a, T b, T c) {
  return add<T>(mul24_lo(a, b), c);
}

// Quotient and remainder of a division by zero are all ones, as on the hardware; the most negative
// value divided by -1 wraps.
template <class T>
constexpr T div(T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if (b == static_cast<T>(-1) && static_cast<T>(-1) < 0) return sub<T>(0, a);
  return static_cast<T>(a / b);
}
template <class T>
constexpr T rem(T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if (b == static_cast<T>(-1) && static_cast<T>(-1) < 0) return 0;
  return static_cast<T>(a % b);
}
template <class T>
constexpr T neg(T a) {
  return sub<T>(0, a);
}
template <class T>
constexpr T abs(T a) {
  return a < 0 ? sub<T>(0, a) : a;
}
template <class T>
constexpr T min(T a, T b) {
  return a < b ? a : b;
}
template <class T>
constexpr T max(T a, T b) {
  return a > b ? a : b;
}
template <class T>
constexpr T sad(T a, T b, T c) {
  return add<T>(a < b ? sub<T>(b, a) : sub<T>(a, b), c);
}

constexpr s32 clamp_s32(s64 v) {
  return static_cast<s32>(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
}
constexpr s32 add_sat(s32 a, s32 b) {
  return clamp_s32(s64{a} + b);
}
constexpr s32 sub_sat(s32 a, s32 b) {
  return clamp_s32(s64{a} - b);
}

// Extended precision: the carry is one bit per lane, kept in the warp.
template <class T, bool kSubtract, bool kCarryIn, bool kCarryOut>
const Op* add_carry(Warp& w, const Op* op) {
  const T* a = w.lanes<T>(op->a);
  const T* b = w.lanes<T>(op->b);
  T* d = w.lanes<T>(op->d);
  uint32_t carry = w.carry;
  for (int i = 0; i < 32; ++i) {
    if ((w.active >> i & 1) == 0) continue;
    const T in = kCarryIn ? static_cast<T>(carry >> i & 1) : T{0};
    // The carry of a subtraction means "borrow".
    const unsigned __int128 left = a[i];
    const unsigned __int128 right = static_cast<unsigned __int128>(b[i]) + in;
    d[i] = static_cast<T>(kSubtract ? left - right : left + right);
    const bool out = kSubtract ? right > left : (left + right) >> (8 * sizeof(T)) != 0;
    if (kCarryOut) carry = (carry & ~(1u << i)) | static_cast<uint32_t>(out) << i;
  }
  w.carry = carry;
  return next(w, op + 1);
}

template <class T, bool kHigh, bool kCarryIn, bool kCarryOut>
const Op* mad_carry(Warp& w, const Op* op) {
  const T* a = w.lanes<T>(op->a);
  const T* b = w.lanes<T>(op->b);
  const T* c = w.lanes<T>(op->c);
  T* d = w.lanes<T>(op->d);
  uint32_t carry = w.carry;
  for (int i = 0; i < 32; ++i) {
    if ((w.active >> i & 1) == 0) continue;
    const Unsigned<T> product =
        static_cast<Unsigned<T>>(kHigh ? mul_hi(a[i], b[i]) : mul_lo<T>(a[i], b[i]));
    const unsigned __int128 sum = static_cast<unsigned __int128>(product) +
                                  static_cast<Unsigned<T>>(c[i]) + (kCarryIn ? carry >> i & 1 : 0);
    d[i] = static_cast<T>(sum);
    if (kCarryOut)
      carry = (carry & ~(1u << i)) | static_cast<uint32_t>(sum >> (8 * sizeof(T)) != 0) << i;
  }
  w.carry = carry;
  return next(w, op + 1);
}

// Absolute differences of packed bytes, side by side, or their sum with c (vabsdiff4).
template <class T, bool kAdds>
constexpr u32 absdiff4(u32 a, u32 b, u32 c) {
  u32 packed = 0, sum = c;
  for (int i = 0; i < 32; i += 8) {
    const int difference = static_cast<T>(a >> i) - static_cast<T>(b >> i);
    const u32 distance = static_cast<u32>(difference < 0 ? -difference : difference);
    packed |= (distance & 255) << i;
    sum += distance;
  }
  return kAdds ? sum : packed;
}

// Dot products of packed bytes and halves (dp4a, dp2a).
template <class A, class B>
constexpr s32 dp4a(u32 a, u32 b, s32 c) {
  u32 sum = static_cast<u32>(c);
  for (int k = 0; k < 4; ++k)
    sum += static_cast<u32>(static_cast<A>(a >> 8 * k) * static_cast<B>(b >> 8 * k));
  return static_cast<s32>(sum);
}
template <class A, class B, int kFirst>
constexpr s32 dp2a(u32 a, u32 b, s32 c) {
  u32 sum = static_cast<u32>(c);
  for (int k = 0; k < 2; ++k) {
    sum += static_cast<u32>(static_cast<A>(a >> 16 * k) * static_cast<B>(b >> 8 * (k + kFirst)));
  }
  return static_cast<s32>(sum);
}

constexpr auto kInteger = InstructionClass::Integer;

#define BINARY(name, function, T, w) \
  { name "." #T, map2<function<T>, T, T, T>, "d" w "s" w "s" w, kInteger }
#define UNARY(name, function, T, w) \
  { name "." #T, map1<function<T>, T, T>, "d" w "s" w, kInteger }
#define TERNARY(name, function, T, w) \
  { name "." #T, map3<function<T>, T, T, T, T>, "d" w "s" w "s" w "s" w, kInteger }
#define ALL_TYPES(FORM, name, function)                                                           \
  FORM(name, function, u16, "2"), FORM(name, function, s16, "2"), FORM(name, function, u32, "4"), \
      FORM(name, function, s32, "4"), FORM(name, function, u64, "8"),                             \
      FORM(name, function, s64, "8")
#define SIGNED_TYPES(FORM, name, function) \
  FORM(name, function, s16, "2"), FORM(name, function, s32, "4"), FORM(name, function, s64, "8")
#define WIDE(T, W, w, v)                                                                \
  {"mul.wide." #T, map2<mul_wide<W, T>, W, T, T>, "d" v "s" w "s" w, kInteger}, {       \
    "mad.wide." #T, map3<mad_wide<W, T>, W, T, T, W>, "d" v "s" w "s" w "s" v, kInteger \
  }
#define CARRY(T, U, w)                                                                        \
  {"add.cc." #T, add_carry<U, false, false, true>, "d" w "s" w "s" w, kInteger},              \
      {"addc." #T, add_carry<U, false, true, false>, "d" w "s" w "s" w, kInteger},            \
      {"addc.cc." #T, add_carry<U, false, true, true>, "d" w "s" w "s" w, kInteger},          \
      {"sub.cc." #T, add_carry<U, true, false, true>, "d" w "s" w "s" w, kInteger},           \
      {"subc." #T, add_carry<U, true, true, false>, "d" w "s" w "s" w, kInteger},             \
      {"subc.cc." #T, add_carry<U, true, true, true>, "d" w "s" w "s" w, kInteger},           \
      {"mad.lo.cc." #T, mad_carry<T, false, false, true>, "d" w "s" w "s" w "s" w, kInteger}, \
      {"madc.lo." #T, mad_carry<T, false, true, false>, "d" w "s" w "s" w "s" w, kInteger},   \
      {"madc.lo.cc." #T, mad_carry<T, false, true, true>, "d" w "s" w "s" w "s" w, kInteger}, \
      {"mad.hi.cc." #T, mad_carry<T, true, false, true>, "d" w "s" w "s" w "s" w, kInteger},  \
      {"madc.hi." #T, mad_carry<T, true, true, false>, "d" w "s" w "s" w "s" w, kInteger}, {  \
    "madc.hi.cc." #T, mad_carry<T, true, true, true>, "d" w "s" w "s" w "s" w, kInteger       \
  }
#define DOT(ta, tb, A, B)                                                                         \
  {"dp4a." ta "." tb, map3<dp4a<A, B>, s32, u32, u32, s32>, "d4s4s4s4", kInteger},                \
      {"dp2a.lo." ta "." tb, map3<dp2a<A##2, B, 0>, s32, u32, u32, s32>, "d4s4s4s4", kInteger}, { \
    "dp2a.hi." ta "." tb, map3<dp2a<A##2, B, 2>, s32, u32, u32, s32>, "d4s4s4s4", kInteger        \
  }
using u8v = uint8_t;
using s8v = int8_t;
using u8v2 = uint16_t;
using s8v2 = int16_t;

constexpr isa::Form kForms[] = {
    {"vabsdiff4.u32.u32.u32", map3<absdiff4<uint8_t, false>, u32, u32, u32, u32>, "d4s4s4s4",
     kInteger},
    {"vabsdiff4.u32.u32.u32.add", map3<absdiff4<uint8_t, true>, u32, u32, u32, u32>, "d4s4s4s4",
     kInteger},
    {"vabsdiff4.u32.s32.s32", map3<absdiff4<int8_t, false>, u32, u32, u32, u32>, "d4s4s4s4",
     kInteger},
    {"vabsdiff4.s32.s32.s32", map3<absdiff4<int8_t, false>, u32, u32, u32, u32>, "d4s4s4s4",
     kInteger},
    {"vabsdiff4.u32.s32.s32.add", map3<absdiff4<int8_t, true>, u32, u32, u32, u32>, "d4s4s4s4",
     kInteger},
    {"vabsdiff4.s32.s32.s32.add", map3<absdiff4<int8_t, true>, u32, u32, u32, u32>, "d4s4s4s4",
     kInteger},
    ALL_TYPES(BINARY, "add", add),
    ALL_TYPES(BINARY, "sub", sub),
    ALL_TYPES(BINARY, "mul.lo", mul_lo),
    ALL_TYPES(BINARY, "mul.hi", mul_high),
    ALL_TYPES(TERNARY, "mad.lo", mad_lo),
    ALL_TYPES(TERNARY, "mad.hi", mad_high),
    ALL_TYPES(BINARY, "div", div),
    ALL_TYPES(BINARY, "rem", rem),
    ALL_TYPES(BINARY, "min", min),
    ALL_TYPES(BINARY, "max", max),
    ALL_TYPES(TERNARY, "sad", sad),
    SIGNED_TYPES(UNARY, "neg", neg),
    SIGNED_TYPES(UNARY, "abs", abs),
    WIDE(u16, u32, "2", "4"),
    WIDE(s16, s32, "2", "4"),
    WIDE(u32, u64, "4", "8"),
    WIDE(s32, s64, "4", "8"),
    BINARY("mul24.lo", mul24_lo, u32, "4"),
    BINARY("mul24.lo", mul24_lo, s32, "4"),
    TERNARY("mad24.lo", mad24_lo, u32, "4"),
    TERNARY("mad24.lo", mad24_lo, s32, "4"),
    {"add.sat.s32", map2<add_sat, s32, s32, s32>, "d4s4s4", kInteger},
    {"sub.sat.s32", map2<sub_sat, s32, s32, s32>, "d4s4s4", kInteger},
    CARRY(u32, u32, "4"),
    CARRY(s32, u32, "4"),
    CARRY(u64, u64, "8"),
    CARRY(s64, u64, "8"),
    DOT("u32", "u32", u8v, u8v),
    DOT("u32", "s32", u8v, s8v),
    DOT("s32", "u32", s8v, u8v),
    DOT("s32", "s32", s8v, s8v),
};

}  // namespace

extern const isa::FormList integer_forms;
const isa::FormList integer_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
