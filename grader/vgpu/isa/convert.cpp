// Conversions and moves (PTX ISA 9.0, section 9.7.9, cvt and mov).
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "isa/map.hpp"
#include "isa/rounding.hpp"

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

template <class T>
inline constexpr bool kIsSigned = static_cast<T>(-1) < T{0};
template <class T>
inline constexpr T kLowest = kIsSigned<T> ? static_cast<T>(T{1} << (8 * sizeof(T) - 1)) : T{0};
template <class T>
inline constexpr T kHighest = static_cast<T>(~kLowest<T>);

// --- the conversions themselves ---
template <class To, class From>
inline To wrap(From v) {
  return static_cast<To>(v);
}

template <class To, class From>
inline To clamp_integer(From v) {
  if (v < From{0}) {
    if (!kIsSigned<To>) return 0;
    return static_cast<s64>(v) < static_cast<s64>(kLowest<To>) ? kLowest<To> : static_cast<To>(v);
  }
  return static_cast<u64>(v) > static_cast<u64>(kHighest<To>) ? kHighest<To> : static_cast<To>(v);
}

/// A NaN in single precision becomes the hardware's NaN.
inline f32 canonical(f32 v) {
  return v != v ? float_of(0x7FFFFFFFu) : v;
}

template <Rounding R, class F>
inline F round_integral(F v) {
  if constexpr (sizeof(F) == 4) {
    v = canonical(v);
    if constexpr (R == Rounding::Zero) return __builtin_truncf(v);
    if constexpr (R == Rounding::Down) return __builtin_floorf(v);
    if constexpr (R == Rounding::Up) return __builtin_ceilf(v);
    return __builtin_rintf(v);
  } else {
    if constexpr (R == Rounding::Zero) return __builtin_trunc(v);
    if constexpr (R == Rounding::Down) return __builtin_floor(v);
    if constexpr (R == Rounding::Up) return __builtin_ceil(v);
    return __builtin_rint(v);
  }
}

/// What NaN becomes: the highest bit where 64 bits are involved, else zero.
template <class To, class From>
inline constexpr To kOfNan = sizeof(From) == 8 || sizeof(To) == 8
                                 ? static_cast<To>(u64{1} << (8 * sizeof(To) - 1))
                                 : To{0};

/// Out of range clamps.
template <Rounding R, class To, class From>
inline To float_to_integer(From v) {
  const From r = round_integral<R>(v);
  // 2^bits as a float is exact for every width.
  const From above = kIsSigned<To> ? static_cast<From>(u64{1} << (8 * sizeof(To) - 1))
                                   : static_cast<From>(u64{1} << (8 * sizeof(To) - 1)) * 2;
  const From below = kIsSigned<To> ? -above : From{0};
  if (!(r >= below)) return r != r ? kOfNan<To, From> : kLowest<To>;
  if (r >= above) return kHighest<To>;
  return static_cast<To>(r);
}

template <Rounding R, class To, class From>
inline To integer_to_float(From v) {
  const To nearest = static_cast<To>(v);
  if constexpr (R == Rounding::Nearest || sizeof(From) < sizeof(To)) return nearest;
  // Compare exactly; 2^64 itself does not fit in 64 bits.
  const auto exact = static_cast<__int128>(v), back = static_cast<__int128>(nearest);
  if constexpr (sizeof(To) == 4) return adjust<R>(nearest, back > exact, back < exact);
  const bool down = R == Rounding::Down || (R == Rounding::Zero && v > 0);
  if (down) return back > exact ? std::nextafter(nearest, static_cast<To>(-INFINITY)) : nearest;
  return back < exact ? std::nextafter(nearest, static_cast<To>(INFINITY)) : nearest;
}

template <Rounding R>
inline f32 narrow_float(f64 v) {
  return v != v ? static_cast<f32>(v) : round_to_float<R>(v);  // a NaN keeps its upper bits
}
inline f64 widen_float(f32 v) {
  return static_cast<f64>(v);
}
template <class F>
inline F same_float(F v) {
  return v;
}

template <auto F, class To, class From>
inline To saturated(From v) {
  const To r = F(v);
  return r > 0 ? (r < 1 ? r : To{1}) : To{0};
}
template <auto F, class To>
inline To flush_source(f32 v) {
  return F(flush(canonical(v)));
}
template <auto F>
inline f32 flush_both(f32 v) {
  return flush(F(flush(canonical(v))));
}
template <auto F, class From>
inline f32 flush_result(From v) {
  return flush(F(v));
}

// --- registers may be wider than the type: b = bytes of the source register, c = of the
// destination ------------------ The low part of a source counts; a result is extended by its own
// signedness. Rare, hence out of the way.
[[gnu::noinline]] void read_wide(u64* out, const Warp& w, uint32_t offset, uint32_t width) {
  for (int i = 0; i < 32; ++i) {
    out[i] = width == 2   ? w.lanes<u16>(offset)[i]
             : width == 4 ? w.lanes<u32>(offset)[i]
                          : w.lanes<u64>(offset)[i];
  }
}
[[gnu::noinline]] void write_wide(Warp& w, uint32_t offset, uint32_t width, const u64* values) {
  if (width == 2) write_lanes<u16>(w, offset, [&](int i) { return static_cast<u16>(values[i]); });
  if (width == 4) write_lanes<u32>(w, offset, [&](int i) { return static_cast<u32>(values[i]); });
  if (width == 8) write_lanes<u64>(w, offset, [&](int i) { return values[i]; });
}

template <class T>
inline T from_wide(u64 bits) {
  if constexpr (std::is_same_v<T, f64>)
    return __builtin_bit_cast(f64, bits);
  else if constexpr (std::is_same_v<T, f32>)
    return float_of(static_cast<u32>(bits));
  else
    return static_cast<T>(bits);
}
template <class T>
inline u64 to_wide(T value) {
  if constexpr (std::is_same_v<T, f64>)
    return __builtin_bit_cast(u64, value);
  else if constexpr (std::is_same_v<T, f32>)
    return bits_of(value);
  else
    return static_cast<u64>(value);
}

template <auto F, class To, class From>
[[gnu::noinline]] void convert_wide(Warp& w, const Op* op) {
  u64 values[32];
  read_wide(values, w, op->a, op->b);
#pragma GCC unroll 1
  for (u64& v : values) v = to_wide(static_cast<To>(F(from_wide<From>(v))));
  write_wide(w, op->d, op->c, values);
}

template <auto F, class To, class From>
const Op* convert(Warp& w, const Op* op) {
  if constexpr (sizeof(To) > 1 && sizeof(From) > 1) {  // bytes live in wider registers
    if (op->b == sizeof(From) && op->c == sizeof(To)) [[likely]] {
      const From* a = w.lanes<From>(op->a);
      write_lanes<To>(w, op->d, [&](int i) { return F(a[i]); });
      return next(w, op + 1);
    }
  }
  convert_wide<F, To, From>(w, op);
  return next(w, op + 1);
}

template <class T>
const Op* move(Warp& w, const Op* op) {
  const T* a = w.lanes<T>(op->a);
  write_lanes<T>(w, op->d, [&](int i) { return a[i]; });
  return next(w, op + 1);
}

// mov.b64 %rd, {%r1, %r2} and its kind: N parts of type P make one W, the first part lowest.
// A part's register is an R: bytes live in 16-bit registers.
template <class W, class P, class R = P>
const Op* pack(Warp& w, const Op* op) {
  constexpr int kParts = sizeof(W) / sizeof(P);
  const R* part[kParts];
  for (int k = 0; k < kParts; ++k)
    part[k] = w.lanes<R>(w.operands[op->extra + static_cast<uint32_t>(k)]);
  write_lanes<W>(w, op->d, [&](int i) {
    W value = 0;
    for (int k = 0; k < kParts; ++k)
      value = static_cast<W>(value | static_cast<W>(W{static_cast<P>(part[k][i])}
                                                    << (8 * sizeof(P) * static_cast<size_t>(k))));
    return value;
  });
  return next(w, op + 1);
}

template <class W, class P, class R = P>
const Op* unpack(Warp& w, const Op* op) {
  constexpr int kParts = sizeof(W) / sizeof(P);
  const W* a = w.lanes<W>(op->a);
  for (int k = 0; k < kParts; ++k) {
    const uint32_t offset = w.operands[op->extra + static_cast<uint32_t>(k)];
    if (offset == isa::kNone) continue;  // `_`
    write_lanes<R>(w, offset, [&](int i) {
      return R{static_cast<P>(a[i] >> (8 * sizeof(P) * static_cast<size_t>(k)))};
    });
  }
  return next(w, op + 1);
}

constexpr auto kConvert = InstructionClass::Convert;
constexpr auto kMove = InstructionClass::Move;

#define EACH_INTEGER(X, A) \
  X(u8, A) X(s8, A) X(u16, A) X(s16, A) X(u32, A) X(s32, A) X(u64, A) X(s64, A)
#define INT_TO_INT(To, From)                                                 \
  {"cvt." #To "." #From, convert<wrap<To, From>, To, From>, "ds", kConvert}, \
      {"cvt.sat." #To "." #From, convert<clamp_integer<To, From>, To, From>, "ds", kConvert},
#define ALL_INT_TO_INT(From, unused) \
  INT_TO_INT(u8, From)               \
  INT_TO_INT(s8, From)               \
  INT_TO_INT(u16, From)              \
  INT_TO_INT(s16, From)              \
  INT_TO_INT(u32, From) INT_TO_INT(s32, From) INT_TO_INT(u64, From) INT_TO_INT(s64, From)
#define TO_INT(mode, R, To, From)                                                             \
  {"cvt." mode "." #To "." #From, convert<float_to_integer<Rounding::R, To, From>, To, From>, \
   "ds", kConvert},                                                                           \
      {"cvt." mode ".sat." #To "." #From,                                                     \
       convert<float_to_integer<Rounding::R, To, From>, To, From>, "ds", kConvert},
#define TO_INT_FTZ(mode, R, To)    \
  {"cvt." mode ".ftz." #To ".f32", \
   convert<flush_source<float_to_integer<Rounding::R, To, f32>, To>, To, f32>, "ds", kConvert},
#define FLOAT_TO_INT(To, From)     \
  TO_INT("rni", Nearest, To, From) \
  TO_INT("rzi", Zero, To, From) TO_INT("rmi", Down, To, From) TO_INT("rpi", Up, To, From)
#define FLOAT_TO_INT_FTZ(To, unused) \
  TO_INT_FTZ("rni", Nearest, To)     \
  TO_INT_FTZ("rzi", Zero, To) TO_INT_FTZ("rmi", Down, To) TO_INT_FTZ("rpi", Up, To)
#define TO_FLOAT(mode, R, To, From)                                                           \
  {"cvt." mode "." #To "." #From, convert<integer_to_float<Rounding::R, To, From>, To, From>, \
   "ds", kConvert},
#define INT_TO_FLOAT(From, To)      \
  TO_FLOAT("rn", Nearest, To, From) \
  TO_FLOAT("rz", Zero, To, From) TO_FLOAT("rm", Down, To, From) TO_FLOAT("rp", Up, To, From)
#define ROUND_FLOAT(mode, R)                                                                      \
  {"cvt." mode "i.f32.f32", convert<round_integral<Rounding::R, f32>, f32, f32>, "ds", kConvert}, \
      {"cvt." mode "i.ftz.f32.f32",                                                               \
       convert<flush_both<round_integral<Rounding::R, f32>>, f32, f32>, "ds", kConvert},          \
      {"cvt." mode "i.f64.f64", convert<round_integral<Rounding::R, f64>, f64, f64>, "ds",        \
       kConvert},                                                                                 \
      {"cvt." mode ".f32.f64", convert<narrow_float<Rounding::R>, f32, f64>, "ds", kConvert},     \
      {"cvt." mode ".ftz.f32.f64",                                                                \
       convert<flush_result<narrow_float<Rounding::R>, f64>, f32, f64>, "ds", kConvert},          \
      {"cvt." mode ".sat.f32.f64",                                                                \
       convert<saturated<narrow_float<Rounding::R>, f32, f64>, f32, f64>, "ds", kConvert},
#define MOVE(type, T, w) \
  { "mov." type, move<T>, "d" w "s" w, kMove }

constexpr isa::Form kForms[] = {
    EACH_INTEGER(ALL_INT_TO_INT, ) EACH_INTEGER(FLOAT_TO_INT, f32) EACH_INTEGER(FLOAT_TO_INT, f64)
        EACH_INTEGER(FLOAT_TO_INT_FTZ, ) EACH_INTEGER(INT_TO_FLOAT, f32)
            EACH_INTEGER(INT_TO_FLOAT, f64) ROUND_FLOAT("rn", Nearest) ROUND_FLOAT("rz", Zero)
                ROUND_FLOAT("rm", Down) ROUND_FLOAT("rp", Up){
                    "cvt.f64.f32", convert<widen_float, f64, f32>, "ds", kConvert},
    {"cvt.ftz.f64.f32", convert<flush_source<widen_float, f64>, f64, f32>, "ds", kConvert},
    {"cvt.f32.f32", convert<same_float<f32>, f32, f32>, "ds", kConvert},
    {"cvt.ftz.f32.f32", convert<flush_both<same_float<f32>>, f32, f32>, "ds", kConvert},
    {"cvt.sat.f32.f32", convert<saturated<same_float<f32>, f32, f32>, f32, f32>, "ds", kConvert},
    {"cvt.ftz.sat.f32.f32", convert<flush_both<saturated<same_float<f32>, f32, f32>>, f32, f32>,
     "ds", kConvert},
    {"cvt.sat.f64.f64", convert<saturated<same_float<f64>, f64, f64>, f64, f64>, "ds", kConvert},
    MOVE("b16", u16, "2"),
    MOVE("u16", u16, "2"),
    MOVE("s16", u16, "2"),
    MOVE("f16", u16, "2"),
    MOVE("bf16", u16, "2"),
    MOVE("b32", u32, "4"),
    MOVE("u32", u32, "4"),
    MOVE("s32", u32, "4"),
    MOVE("f32", u32, "4"),
    MOVE("b64", u64, "8"),
    MOVE("u64", u64, "8"),
    MOVE("s64", u64, "8"),
    MOVE("f64", u64, "8"),
    MOVE("b128", unsigned __int128, "16"),
    // Not PTX: address conversions are moves or additions of a window (program/).
    {"pack.b16.b8", pack<u16, u8, u16>, "d2", kMove},
    {"unpack.b16.b8", unpack<u16, u8, u16>, "s2", kMove},
    {"pack.b32.b8", pack<u32, u8, u16>, "d4", kMove},
    {"unpack.b32.b8", unpack<u32, u8, u16>, "s4", kMove},
    {"pack.b32.b16", pack<u32, u16>, "d4", kMove},
    {"unpack.b32.b16", unpack<u32, u16>, "s4", kMove},
    {"pack.b64.b16", pack<u64, u16>, "d8", kMove},
    {"unpack.b64.b16", unpack<u64, u16>, "s8", kMove},
    {"pack.b64.b32", pack<u64, u32>, "d8", kMove},
    {"unpack.b64.b32", unpack<u64, u32>, "s8", kMove},
    {"pack.b128.b64", pack<unsigned __int128, u64>, "d16", kMove},
    {"unpack.b128.b64", unpack<unsigned __int128, u64>, "s16", kMove},
};

}  // namespace

extern const isa::FormList convert_forms;
const isa::FormList convert_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
