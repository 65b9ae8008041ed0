// Floating point in single and double precision (PTX ISA 9.0, section 9.7.3).
#include <cmath>
#include <cstdint>

#include "isa/map.hpp"
#include "isa/rounding.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using f32 = float;
using f64 = double;

template <class T>
constexpr bool is_nan(T v) {
  return v != v;
}
// A NaN in single precision is canonical on the hardware. In double precision it is an operand's,
// made quiet, and negative when the operands were numbers.
constexpr uint32_t kNan32 = 0x7FFFFFFFu;
constexpr uint64_t kNan64 = 0xFFF8000000000000u, kQuiet64 = 0x0008000000000000u;
inline f32 canonical(f32 v) {
  return is_nan(v) ? float_of(kNan32) : v;
}
inline f64 quiet(f64 v) {
  return __builtin_bit_cast(f64, __builtin_bit_cast(uint64_t, v) | kQuiet64);
}
/// A result, or the NaN of the first operand that is one. The hardware looks at them in its own
/// order.
inline f64 with_nan(f64 result) {
  return is_nan(result) ? __builtin_bit_cast(f64, kNan64) : result;
}
template <class... Rest>
inline f64 with_nan(f64 result, f64 first, Rest... rest) {
  return is_nan(first) ? quiet(first) : with_nan(result, rest...);
}

// --- single precision; the rounding is that of the handler (map.hpp) ---
inline f32 add(f32 a, f32 b) {
  return canonical(a + b);
}
inline f32 sub(f32 a, f32 b) {
  return canonical(a - b);
}
inline f32 mul(f32 a, f32 b) {
  return canonical(a * b);
}
inline f32 fma(f32 a, f32 b, f32 c) {
  return canonical(__builtin_fmaf(a, b, c));
}
inline f32 div(f32 a, f32 b) {
  return canonical(a / b);
}
inline f32 rcp(f32 a) {
  return canonical(1.0f / a);
}
inline f32 sqrt(f32 a) {
  return canonical(__builtin_sqrtf(a));
}

inline f32 neg(f32 a) {
  return canonical(-a);
}
inline f64 neg64(f64 a) {
  return with_nan(-a, a);
}
inline f32 abs(f32 a) {
  return canonical(std::fabs(a));
}
inline f64 abs64(f64 a) {
  return with_nan(std::fabs(a), a);
}
inline uint32_t to_bits(f32 v) {
  return bits_of(v);
}
inline uint64_t to_bits(f64 v) {
  return __builtin_bit_cast(uint64_t, v);
}
template <class T, class Bits>
inline T from_bits(Bits bits) {
  return __builtin_bit_cast(T, bits);
}
inline f32 quiet(f32 v) {
  return canonical(v);
}
// The operand that is not NaN wins, and b's NaN if both are. -0 is below +0; only in these do equal
// operands differ, by the sign.
template <class T>
inline T min(T a, T b) {
  const T c = is_nan(a) ? b : a, lower = b < c ? b : c;
  const T least = b == c ? from_bits<T>(to_bits(b) | to_bits(c)) : lower;
  return is_nan(least) ? quiet(least) : least;
}
template <class T>
inline T max(T a, T b) {
  const T c = is_nan(a) ? b : a, higher = b > c ? b : c;
  const T most = b == c ? from_bits<T>(to_bits(b) & to_bits(c)) : higher;
  return is_nan(most) ? quiet(most) : most;
}
template <class T>
inline T min_nan(T a, T b) {
  return is_nan(a) || is_nan(b) ? canonical(a + b) : min(a, b);
}
template <class T>
inline T max_nan(T a, T b) {
  return is_nan(a) || is_nan(b) ? canonical(a + b) : max(a, b);
}
template <class T>
inline T copysign(T sign, T magnitude) {
  return std::copysign(magnitude, sign);
}

inline f32 saturate(f32 v) {
  return v > 0 ? (v < 1 ? v : 1.0f) : 0.0f;
}  // NaN and -0 give +0

// Variants of a function: denormal operands and results flushed to zero, result clamped to [0, 1].
template <auto F>
inline f32 ftz1(f32 a) {
  return flush(F(flush(a)));
}
template <auto F>
inline f32 ftz2(f32 a, f32 b) {
  return flush(F(flush(a), flush(b)));
}
// A product or quotient below the normal numbers is flushed also when rounding it as a denormal
// would lift it to a normal one. Scaled up, it is rounded as if the exponent had no end.
constexpr f32 kScale = 0x1p32f;
inline f32 flush_tiny(f32 result, f32 scaled) {
  constexpr f32 kLeast =
      0x1p-126f;  // the least normal number; `scaled` may have overflowed elsewhere
  return std::fabs(result) <= kLeast && std::fabs(scaled) < kLeast * kScale
             ? std::copysign(0.0f, result)
             : result;
}
template <auto F>
inline f32 ftz_product(f32 a, f32 b) {
  return flush_tiny(F(flush(a), flush(b)), F(flush(a) * kScale, flush(b)));
}
template <auto F>
inline f32 ftz_inverse(f32 a) {
  return flush_tiny(F(flush(a)), F(flush(a) / kScale));
}
template <auto F>
inline f32 ftz3(f32 a, f32 b, f32 c) {
  return flush_tiny(F(flush(a), flush(b), flush(c)),
                    F(flush(a) * kScale, flush(b), flush(c) * kScale));
}
template <auto F>
inline f32 sat2(f32 a, f32 b) {
  return saturate(F(a, b));
}
template <auto F>
inline f32 sat3(f32 a, f32 b, f32 c) {
  return saturate(F(a, b, c));
}

// --- approximations: their documented maximum errors are the hardware's
// ---------------------------------------------- 2^x: x = n + f with |f| <= 1/2, Taylor's
// polynomial for 2^f (truncation error below 2^-27), scaled in two steps so that denormal results
// come out.
inline f32 ex2(f32 x) {
  const f32 least = -252.0f > x ? -252.0f : x, clamped = 252.0f < least ? 252.0f : least;
  constexpr f32 kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const f32 shifted = clamped + kRound;
  const f32 f = clamped - (shifted - kRound);
  const int32_t n = static_cast<int32_t>(bits_of(shifted)) - static_cast<int32_t>(bits_of(kRound));
  f32 p = 1.5252734e-5f;  // ln(2)^k / k!
  p = __builtin_fmaf(p, f, 1.5403530e-4f);
  p = __builtin_fmaf(p, f, 1.3333558e-3f);
  p = __builtin_fmaf(p, f, 9.6181291e-3f);
  p = __builtin_fmaf(p, f, 5.5504109e-2f);
  p = __builtin_fmaf(p, f, 2.4022651e-1f);
  p = __builtin_fmaf(p, f, 6.9314718e-1f);
  p = __builtin_fmaf(p, f, 1.0f);
  const int32_t half = n >> 1;
  const f32 first = float_of(static_cast<uint32_t>(half + 127) << 23);
  const f32 second = float_of(static_cast<uint32_t>(n - half + 127) << 23);
  return canonical(p * first * second);
}
inline f32 lg2(f32 x) {
  return canonical(static_cast<f32>(std::log2(static_cast<f64>(x))));
}
inline f32 sin(f32 x) {
  return canonical(static_cast<f32>(std::sin(static_cast<f64>(x))));
}
inline f32 cos(f32 x) {
  return canonical(static_cast<f32>(std::cos(static_cast<f64>(x))));
}
inline f32 tanh(f32 x) {
  return canonical(static_cast<f32>(std::tanh(static_cast<f64>(x))));
}
inline f32 rsqrt(f32 x) {
  return canonical(static_cast<f32>(1.0 / __builtin_sqrt(static_cast<f64>(x))));
}
// div.approx: for |b| in (2^126, 2^128) the hardware returns 0.
inline f32 div_approx(f32 a, f32 b) {
  if (std::fabs(b) > 0x1p126f && !std::isinf(b))
    return std::isinf(a) ? float_of(kNan32) : canonical(0.0f * a * b);
  return canonical(a / b);
}

// --- double precision ---
inline f64 add64(f64 a, f64 b) {
  return with_nan(a + b, b, a);
}
inline f64 sub64(f64 a, f64 b) {
  return with_nan(a - b, b, a);
}
inline f64 mul64(f64 a, f64 b) {
  return with_nan(a * b, b, a);
}
inline f64 div64(f64 a, f64 b) {
  return with_nan(a / b, a, b);
}
inline f64 fma64(f64 a, f64 b, f64 c) {
  return with_nan(__builtin_fma(a, b, c), b, c, a);
}
inline f64 rcp64(f64 a) {
  return with_nan(1.0 / a, a);
}
inline f64 sqrt64(f64 a) {
  return with_nan(__builtin_sqrt(a), a);
}
inline f64 rsqrt64(f64 a) {
  return with_nan(1.0 / __builtin_sqrt(a), a);
}
// rcp.approx.ftz.f64 and its kind work on the upper half of the number only.
inline f64 upper_half(f64 a) {
  return __builtin_bit_cast(f64, __builtin_bit_cast(uint64_t, a) & 0xFFFFFFFF00000000u);
}
inline f64 flush64(f64 v) {
  return std::fabs(v) < 0x1p-1022 ? std::copysign(0.0, v) : v;
}
template <f64 F(f64)>
inline f64 approximate64(f64 a) {
  const f64 r = flush64(F(flush64(upper_half(a))));
  return is_nan(r) ? __builtin_bit_cast(f64, uint64_t{0x7FFFFFFF00000000u}) : upper_half(r);
}
inline f64 inverse(f64 a) {
  return 1.0 / a;
}
inline f64 inverse_root(f64 a) {
  return 1.0 / __builtin_sqrt(a);
}

constexpr auto kRn = Rounding::Nearest, kRz = Rounding::Zero, kRm = Rounding::Down,
               kRp = Rounding::Up;
constexpr auto kF32 = InstructionClass::Float32;
constexpr auto kFma = InstructionClass::Fma32;
constexpr auto kF64 = InstructionClass::Float64;
constexpr auto kSpecial = InstructionClass::Special;

#define F1(name, f, kind, R)                                  \
  {name ".f32", map1<f, f32, f32, R>, "d4s4", kind}, {        \
    name ".ftz.f32", map1<ftz1<f>, f32, f32, R>, "d4s4", kind \
  }
#define F2(name, f, kind, R)                                         \
  {name ".f32", map2<f, f32, f32, f32, R>, "d4s4s4", kind}, {        \
    name ".ftz.f32", map2<ftz2<f>, f32, f32, f32, R>, "d4s4s4", kind \
  }
#define F1_INVERSE(name, f, kind, R)                                 \
  {name ".f32", map1<f, f32, f32, R>, "d4s4", kind}, {               \
    name ".ftz.f32", map1<ftz_inverse<f>, f32, f32, R>, "d4s4", kind \
  }
#define F2_PRODUCT(name, f, kind, R)                                        \
  {name ".f32", map2<f, f32, f32, f32, R>, "d4s4s4", kind}, {               \
    name ".ftz.f32", map2<ftz_product<f>, f32, f32, f32, R>, "d4s4s4", kind \
  }
#define F2_PRODUCT_SAT(name, f, kind, R)                                              \
  F2_PRODUCT(name, f, kind, R),                                                       \
      {name ".sat.f32", map2<sat2<f>, f32, f32, f32, R>, "d4s4s4", kind}, {           \
    name ".ftz.sat.f32", map2<sat2<ftz_product<f>>, f32, f32, f32, R>, "d4s4s4", kind \
  }
#define F2_SAT(name, f, kind, R)                                                              \
  F2(name, f, kind, R), {name ".sat.f32", map2<sat2<f>, f32, f32, f32, R>, "d4s4s4", kind}, { \
    name ".ftz.sat.f32", map2<sat2<ftz2<f>>, f32, f32, f32, R>, "d4s4s4", kind                \
  }
#define F3_SAT(name, f, kind, R)                                                      \
  {name ".f32", map3<f, f32, f32, f32, f32, R>, "d4s4s4s4", kind},                    \
      {name ".ftz.f32", map3<ftz3<f>, f32, f32, f32, f32, R>, "d4s4s4s4", kind},      \
      {name ".sat.f32", map3<sat3<f>, f32, f32, f32, f32, R>, "d4s4s4s4", kind}, {    \
    name ".ftz.sat.f32", map3<sat3<ftz3<f>>, f32, f32, f32, f32, R>, "d4s4s4s4", kind \
  }
#define ROUNDED(FORM, name, f, kind)                                                              \
  FORM(name ".rn", f, kind, kRn), FORM(name ".rz", f, kind, kRz), FORM(name ".rm", f, kind, kRm), \
      FORM(name ".rp", f, kind, kRp)
#define D1_AS(name, f, kind, R) \
  { name ".f64", map1<f, f64, f64, R>, "d8s8", kind }
#define D2_AS(name, f, kind, R) \
  { name ".f64", map2<f, f64, f64, f64, R>, "d8s8s8", kind }
#define D3_AS(name, f, kind, R) \
  { name ".f64", map3<f, f64, f64, f64, f64, R>, "d8s8s8s8", kind }
#define D1(name, f) D1_AS(name, f, kF64, kRn)
#define D2(name, f) D2_AS(name, f, kF64, kRn)

constexpr isa::Form kForms[] = {
    F2_SAT("add", add, kF32, kRn),
    F2_SAT("sub", sub, kF32, kRn),
    F2_PRODUCT_SAT("mul", mul, kF32, kRn),
    ROUNDED(F2_SAT, "add", add, kF32),
    ROUNDED(F2_SAT, "sub", sub, kF32),
    ROUNDED(F2_PRODUCT_SAT, "mul", mul, kF32),
    ROUNDED(F3_SAT, "fma", fma, kFma),
    ROUNDED(F3_SAT, "mad", fma, kFma),
    ROUNDED(F2_PRODUCT, "div", div, kF32),
    ROUNDED(F1_INVERSE, "rcp", rcp, kSpecial),
    ROUNDED(F1, "sqrt", sqrt, kSpecial),
    F2("div.approx", div_approx, kSpecial, kRn),
    F2("div.full", div, kSpecial, kRn),
    F1("rcp.approx", rcp, kSpecial, kRn),
    F1("sqrt.approx", sqrt, kSpecial, kRn),
    F1("rsqrt.approx", rsqrt, kSpecial, kRn),
    F1("ex2.approx", ex2, kSpecial, kRn),
    F1("lg2.approx", lg2, kSpecial, kRn),
    F1("sin.approx", sin, kSpecial, kRn),
    F1("cos.approx", cos, kSpecial, kRn),
    {"tanh.approx.f32", map1<tanh, f32, f32>, "d4s4", kSpecial},
    F1("neg", neg, kF32, kRn),
    F1("abs", abs, kF32, kRn),
    F2("min", min<f32>, kF32, kRn),
    F2("max", max<f32>, kF32, kRn),
    F2("min.NaN", min_nan<f32>, kF32, kRn),
    F2("max.NaN", max_nan<f32>, kF32, kRn),
    {"min.ftz.NaN.f32", map2<ftz2<min_nan<f32>>, f32, f32, f32>, "d4s4s4", kF32},
    {"max.ftz.NaN.f32", map2<ftz2<max_nan<f32>>, f32, f32, f32>, "d4s4s4", kF32},
    {"copysign.f32", map2<copysign<f32>, f32, f32, f32>, "d4s4s4", kF32},
    D2("add", add64),
    D2("sub", sub64),
    D2("mul", mul64),
    ROUNDED(D2_AS, "add", add64, kF64),
    ROUNDED(D2_AS, "sub", sub64, kF64),
    ROUNDED(D2_AS, "mul", mul64, kF64),
    ROUNDED(D2_AS, "div", div64, kF64),
    ROUNDED(D3_AS, "fma", fma64, kF64),
    ROUNDED(D3_AS, "mad", fma64, kF64),
    ROUNDED(D1_AS, "rcp", rcp64, kF64),
    ROUNDED(D1_AS, "sqrt", sqrt64, kF64),
    D1("rcp.approx.ftz", approximate64<inverse>),
    D1("rsqrt.approx.ftz", approximate64<inverse_root>),
    D1("rsqrt.approx", rsqrt64),
    D1("neg", neg64),
    D1("abs", abs64),
    D2("min", min<f64>),
    D2("max", max<f64>),
    D2("copysign", copysign<f64>),
};

}  // namespace

extern const isa::FormList floating_forms;
const isa::FormList floating_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
