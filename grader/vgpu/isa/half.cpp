// Arithmetic and comparison in half precision: f16, bf16 and their pairs f16x2, bf16x2 (PTX ISA
// 9.0, sections 9.7.4 and 9.7.5). Every operation computes in float or double and rounds once.
#include "isa/half.hpp"

#include <cmath>
#include <cstdint>

#include "isa/map.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using u16 = uint16_t;
using u32 = uint32_t;

constexpr u16 kSign = 0x8000;

template <class H>
inline u16 sub(u16 a, u16 b) {
  return H::narrow(H::widen(a) - H::widen(b));
}
template <class H>
inline u16 mul(u16 a, u16 b) {
  return H::narrow(H::widen(a) * H::widen(b));
}
template <class H>
inline u16 fma(u16 a, u16 b, u16 c) {
  const double product = static_cast<double>(H::widen(a)) * H::widen(b);  // exact
  return H::narrow(odd_float(odd_sum(product, H::widen(c))));
}
template <class H>
inline bool is_nan(u16 a) {
  return H::widen(a) != H::widen(a);
}
template <class H>
inline u16 neg(u16 a) {
  return is_nan<H>(a) ? H::kNan : a ^ kSign;
}
template <class H>
inline u16 abs(u16 a) {
  return is_nan<H>(a) ? H::kNan : a & ~kSign;
}

// The operand that is not NaN wins; -0 is below +0.
template <class H>
inline u16 min(u16 a, u16 b) {
  const float x = H::widen(a), y = H::widen(b);
  const u16 lower = x < y || (x == y && (a & kSign) != 0) ? a : b;
  return x != x ? (y != y ? H::kNan : b) : y != y ? a : lower;
}
template <class H>
inline u16 max(u16 a, u16 b) {
  const float x = H::widen(a), y = H::widen(b);
  const u16 upper = x > y || (x == y && (a & kSign) == 0) ? a : b;
  return x != x ? (y != y ? H::kNan : b) : y != y ? a : upper;
}
template <class H>
inline u16 min_nan(u16 a, u16 b) {
  return is_nan<H>(a) || is_nan<H>(b) ? H::kNan : min<H>(a, b);
}
template <class H>
inline u16 max_nan(u16 a, u16 b) {
  return is_nan<H>(a) || is_nan<H>(b) ? H::kNan : max<H>(a, b);
}

// Modifiers: .sat clamps to [0, 1] and turns NaN into +0, .relu clamps below at +0 and keeps NaN.
template <class H, auto F>
inline u16 sat2(u16 a, u16 b) {
  const u16 r = F(a, b);
  return H::widen(r) > 0 ? (H::widen(r) < 1 ? r : H::kOne) : 0;
}
template <class H, auto F>
inline u16 sat3(u16 a, u16 b, u16 c) {
  const u16 r = F(a, b, c);
  return H::widen(r) > 0 ? (H::widen(r) < 1 ? r : H::kOne) : 0;
}
template <class H, auto F>
inline u16 relu3(u16 a, u16 b, u16 c) {
  const u16 r = F(a, b, c);
  return r == H::kNan || (r & kSign) == 0 ? r : 0;
}
inline u16 flush_bf16(u16 a) {
  return (a & 0x7F80) == 0 ? a & kSign : a;
}

// Approximations; correctly rounded, which is within their documented errors.
template <class H>
inline u16 tanh(u16 a) {
  return H::narrow(odd_float(std::tanh(static_cast<double>(H::widen(a)))));
}
template <class H>
inline u16 ex2(u16 a) {
  return H::narrow(odd_float(std::exp2(static_cast<double>(H::widen(a)))));
}
inline u16 ex2_ftz(u16 a) {
  return flush_bf16(ex2<Bf16>(flush_bf16(a)));
}

#define RELATION(name, test)           \
  inline bool name(float a, float b) { \
    return test;                       \
  }
RELATION(eq, a == b)
RELATION(ne, a<b || a> b)  // ordered: false when an operand is NaN
RELATION(lt, a < b)
RELATION(le, a <= b)
RELATION(gt, a > b)
RELATION(ge, a >= b)
RELATION(equ, !(a < b || a > b))  // unordered: true when an operand is NaN
RELATION(neu, !(a == b))
RELATION(ltu, !(a >= b))
RELATION(leu, !(a > b))
RELATION(gtu, !(a <= b))
RELATION(geu, !(a < b))
RELATION(num, a == a && b == b)
RELATION(nan, a != a || b != b)

template <class H, auto F>
const Op* set_predicate(Warp& w, const Op* op) {
  const u16* a = w.lanes<u16>(op->a);
  const u16* b = w.lanes<u16>(op->b);
  write_predicate(w, op->d, test_lanes([&](int i) { return F(H::widen(a[i]), H::widen(b[i])); }));
  return next(w, op + 1);
}
// Pairs: 32 lanes of two numbers are 64 numbers side by side.
template <class F>
inline void write_pairs(Warp& w, u32 offset, F value) {
  u16* const d = w.lanes<u16>(offset);
  for (int half = 0; half < 64; half += 32) {
    if (w.active == kFullMask) [[likely]] {
      VGPU_LANES(i) d[half + i] = value(half + i);
    } else {
      const u32 active = w.active;
      VGPU_LANES(i) {
        const int k = half + i;
        d[k] = (active >> (k / 2) & 1) != 0 ? value(k) : d[k];
      }
    }
  }
}
template <auto F>
const Op* pairs1(Warp& w, const Op* op) {
  const u16* a = w.lanes<u16>(op->a);
  write_pairs(w, op->d, [&](int i) { return F(a[i]); });
  return next(w, op + 1);
}
template <auto F>
const Op* pairs2(Warp& w, const Op* op) {
  const u16* a = w.lanes<u16>(op->a);
  const u16* b = w.lanes<u16>(op->b);
  write_pairs(w, op->d, [&](int i) { return F(a[i], b[i]); });
  return next(w, op + 1);
}
template <auto F>
const Op* pairs3(Warp& w, const Op* op) {
  const u16* a = w.lanes<u16>(op->a);
  const u16* b = w.lanes<u16>(op->b);
  const u16* c = w.lanes<u16>(op->c);
  write_pairs(w, op->d, [&](int i) { return F(a[i], b[i], c[i]); });
  return next(w, op + 1);
}

/// `set`: kTrue where the relation holds, else 0.
template <class H, auto F, auto kTrue>
inline auto set_value(u16 a, u16 b) {
  return static_cast<decltype(kTrue)>(F(H::widen(a), H::widen(b)) ? kTrue : 0);
}

constexpr auto kHalf = InstructionClass::Half;
constexpr auto kSpecial = InstructionClass::Special;
constexpr auto kPredicate = InstructionClass::Predicate;
constexpr u16 kOnes16 = 0xFFFF;
constexpr u32 kOnes32 = 0xFFFFFFFF;

// One operation for single numbers and pairs; the function may contain commas.
#define UNARY(name, type, kind, ...)                            \
  {name "." type, map1<__VA_ARGS__, u16, u16>, "d2s2", kind}, { \
    name "." type "x2", pairs1<__VA_ARGS__>, "d4s4", kind       \
  }
#define BINARY(name, type, ...)                                         \
  {name "." type, map2<__VA_ARGS__, u16, u16, u16>, "d2s2s2", kHalf}, { \
    name "." type "x2", pairs2<__VA_ARGS__>, "d4s4s4", kHalf            \
  }
#define TERNARY(name, type, ...)                                               \
  {name "." type, map3<__VA_ARGS__, u16, u16, u16, u16>, "d2s2s2s2", kHalf}, { \
    name "." type "x2", pairs3<__VA_ARGS__>, "d4s4s4s4", kHalf                 \
  }
#define SUM(name, type, H, ...)                                           \
  BINARY(name, type, __VA_ARGS__), BINARY(name ".rn", type, __VA_ARGS__), \
      BINARY(name ".sat", type, sat2<H, __VA_ARGS__>),                    \
      BINARY(name ".rn.sat", type, sat2<H, __VA_ARGS__>)
#define COMPARE(f, type, H)                                                                     \
  {"setp." #f "." type, set_predicate<H, f>, "dps2s2", kPredicate},                             \
      BINARY_SET(f, type, "." type, set_value<H, f, H::kOne>),                                  \
      {"set." #f ".u16." type, map2<set_value<H, f, kOnes16>, u16, u16, u16>, "d2s2s2", kHalf}, \
      {"set." #f ".s16." type, map2<set_value<H, f, kOnes16>, u16, u16, u16>, "d2s2s2", kHalf}, \
      {"set." #f ".u32." type, map2<set_value<H, f, kOnes32>, u32, u16, u16>, "d4s2s2", kHalf}, \
      {"set." #f ".s32." type, map2<set_value<H, f, kOnes32>, u32, u16, u16>, "d4s2s2", kHalf}, \
      {"set." #f ".u32." type "x2", pairs2<set_value<H, f, kOnes16>>, "d4s4s4", kHalf}, {       \
    "set." #f ".s32." type "x2", pairs2<set_value<H, f, kOnes16>>, "d4s4s4", kHalf              \
  }
#define BINARY_SET(f, type, result, ...)                                            \
  {"set." #f result "." type, map2<__VA_ARGS__, u16, u16, u16>, "d2s2s2", kHalf}, { \
    "set." #f result "x2." type "x2", pairs2<__VA_ARGS__>, "d4s4s4", kHalf          \
  }
#define FORMAT(type, H)                                                                            \
  SUM("add", type, H, half_add<H>), SUM("sub", type, H, sub<H>), SUM("mul", type, H, mul<H>),      \
      TERNARY("fma.rn", type, fma<H>), TERNARY("fma.rn.sat", type, sat3<H, fma<H>>),               \
      TERNARY("fma.rn.relu", type, relu3<H, fma<H>>), UNARY("neg", type, kHalf, neg<H>),           \
      UNARY("abs", type, kHalf, abs<H>), BINARY("min", type, min<H>), BINARY("max", type, max<H>), \
      BINARY("min.NaN", type, min_nan<H>), BINARY("max.NaN", type, max_nan<H>),                    \
      UNARY("tanh.approx", type, kSpecial, tanh<H>), COMPARE(eq, type, H), COMPARE(ne, type, H),   \
      COMPARE(lt, type, H), COMPARE(le, type, H), COMPARE(gt, type, H), COMPARE(ge, type, H),      \
      COMPARE(equ, type, H), COMPARE(neu, type, H), COMPARE(ltu, type, H), COMPARE(leu, type, H),  \
      COMPARE(gtu, type, H), COMPARE(geu, type, H), COMPARE(num, type, H), COMPARE(nan, type, H)

constexpr isa::Form kForms[] = {
    FORMAT("f16", F16),
    FORMAT("bf16", Bf16),
    UNARY("ex2.approx", "f16", kSpecial, ex2<F16>),
    UNARY("ex2.approx.ftz", "bf16", kSpecial, ex2_ftz),
};

}  // namespace

extern const isa::FormList half_forms;
const isa::FormList half_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
