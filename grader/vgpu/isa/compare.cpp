// Comparison and selection (PTX ISA 9.0, section 9.7.5).
#include <cmath>
#include <cstdint>

#include "isa/map.hpp"
#include "isa/rounding.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

template <class T>
constexpr bool eq(T a, T b) {
  return a == b;
}
template <class T>
constexpr bool ne(T a, T b) {
  return a < b || a > b;
}  // ordered: false when an operand is NaN
template <class T>
constexpr bool lt(T a, T b) {
  return a < b;
}
template <class T>
constexpr bool le(T a, T b) {
  return a <= b;
}
template <class T>
constexpr bool gt(T a, T b) {
  return a > b;
}
template <class T>
constexpr bool ge(T a, T b) {
  return a >= b;
}
// The unordered forms are true when an operand is NaN.
template <class T>
constexpr bool equ(T a, T b) {
  return !(a < b || a > b);
}
template <class T>
constexpr bool neu(T a, T b) {
  return !(a == b);
}
template <class T>
constexpr bool ltu(T a, T b) {
  return !(a >= b);
}
template <class T>
constexpr bool leu(T a, T b) {
  return !(a > b);
}
template <class T>
constexpr bool gtu(T a, T b) {
  return !(a <= b);
}
template <class T>
constexpr bool geu(T a, T b) {
  return !(a < b);
}
template <class T>
constexpr bool num(T a, T b) {
  return a == a && b == b;
}
template <class T>
constexpr bool nan(T a, T b) {
  return a != a || b != b;
}

template <auto F>
inline bool flushed(float a, float b) {
  return F(flush(a), flush(b));
}

template <auto F, class T>
const Op* set_predicate(Warp& w, const Op* op) {
  const T* a = w.lanes<T>(op->a);
  const T* b = w.lanes<T>(op->b);
  write_predicate(w, op->d, test_lanes([&](int i) { return F(a[i], b[i]); }));
  return next(w, op + 1);
}

// set: all ones or 1.0 for true, by the type of the destination.
template <auto F, class T, class D>
inline D set_value(T a, T b) {
  if constexpr (static_cast<D>(0.5f) != D{0}) return F(a, b) ? D{1} : D{0};
  return F(a, b) ? static_cast<D>(~uint32_t{0}) : D{0};
}

template <class T>
const Op* select(Warp& w, const Op* op) {
  const T* a = w.lanes<T>(op->a);
  const T* b = w.lanes<T>(op->b);
  const uint32_t p = w.predicate(op->c);
  write_lanes<T>(w, op->d, [&](int i) { return (p >> i & 1) != 0 ? a[i] : b[i]; });
  return next(w, op + 1);
}

template <class T, class C>
inline T select_by_sign(T a, T b, C c) {
  return c >= 0 ? a : b;
}  // NaN selects b

template <class T, bool F(T)>
const Op* test_property(Warp& w, const Op* op) {
  const T* a = w.lanes<T>(op->a);
  write_predicate(w, op->d, test_lanes([&](int i) { return F(a[i]); }));
  return next(w, op + 1);
}
template <class T>
bool finite(T a) {
  return std::isfinite(a);
}
template <class T>
bool infinite(T a) {
  return std::isinf(a);
}
template <class T>
bool number(T a) {
  return a == a;
}
template <class T>
bool notanumber(T a) {
  return a != a;
}
template <class T>
bool normal(T a) {  // zero counts, as on the hardware
  return std::isnormal(a) || a == 0;
}
template <class T>
bool subnormal(T a) {
  return std::fpclassify(a) == FP_SUBNORMAL;
}

constexpr auto kKind = InstructionClass::Predicate;
constexpr auto kSelect = InstructionClass::Move;

#define COMPARE(cmp, f, type, T, w)                                                                \
  {"setp." cmp "." type, set_predicate<f<T>, T>, "dps" w "s" w, kKind},                            \
      {"set." cmp ".u32." type, map2<set_value<f<T>, T, uint32_t>, uint32_t, T, T>, "d4s" w "s" w, \
       kKind},                                                                                     \
      {"set." cmp ".s32." type, map2<set_value<f<T>, T, uint32_t>, uint32_t, T, T>, "d4s" w "s" w, \
       kKind},                                                                                     \
  {                                                                                                \
    "set." cmp ".f32." type, map2<set_value<f<T>, T, float>, float, T, T>, "d4s" w "s" w, kKind    \
  }
#define COMPARE_FTZ(cmp, f)                                                                    \
  {"setp." cmp ".ftz.f32", set_predicate<flushed<f<float>>, float>, "dps4s4", kKind},          \
      {"set." cmp ".ftz.u32.f32",                                                              \
       map2<set_value<flushed<f<float>>, float, uint32_t>, uint32_t, float, float>, "d4s4s4",  \
       kKind},                                                                                 \
      {"set." cmp ".ftz.s32.f32",                                                              \
       map2<set_value<flushed<f<float>>, float, uint32_t>, uint32_t, float, float>, "d4s4s4",  \
       kKind},                                                                                 \
  {                                                                                            \
    "set." cmp ".ftz.f32.f32",                                                                 \
        map2<set_value<flushed<f<float>>, float, float>, float, float, float>, "d4s4s4", kKind \
  }
#define EQUALITY(type, T, w) COMPARE("eq", eq, type, T, w), COMPARE("ne", neu, type, T, w)
#define ORDER(type, T, w)                                                             \
  EQUALITY(type, T, w), COMPARE("lt", lt, type, T, w), COMPARE("le", le, type, T, w), \
      COMPARE("gt", gt, type, T, w), COMPARE("ge", ge, type, T, w)
#define UNSIGNED_ORDER(type, T, w)                                                 \
  ORDER(type, T, w), COMPARE("lo", lt, type, T, w), COMPARE("ls", le, type, T, w), \
      COMPARE("hi", gt, type, T, w), COMPARE("hs", ge, type, T, w)
#define FLOAT_ORDER(type, T, w)                                                                    \
  COMPARE("eq", eq, type, T, w), COMPARE("ne", ne, type, T, w), COMPARE("lt", lt, type, T, w),     \
      COMPARE("le", le, type, T, w), COMPARE("gt", gt, type, T, w), COMPARE("ge", ge, type, T, w), \
      COMPARE("equ", equ, type, T, w), COMPARE("neu", neu, type, T, w),                            \
      COMPARE("ltu", ltu, type, T, w), COMPARE("leu", leu, type, T, w),                            \
      COMPARE("gtu", gtu, type, T, w), COMPARE("geu", geu, type, T, w),                            \
      COMPARE("num", num, type, T, w), COMPARE("nan", nan, type, T, w)
#define SELECT(type, T, w)                                                                       \
  {"selp." type, select<T>, "d" w "s" w "s" w "sp", kSelect},                                    \
      {"slct." type ".s32", map3<select_by_sign<T, int32_t>, T, T, T, int32_t>,                  \
       "d" w "s" w "s" w "s4", kSelect},                                                         \
  {                                                                                              \
    "slct." type ".f32", map3<select_by_sign<T, float>, T, T, T, float>, "d" w "s" w "s" w "s4", \
        kSelect                                                                                  \
  }
#define PROPERTY(p)                                                      \
  {"testp." #p ".f32", test_property<float, p<float>>, "dps4", kKind}, { \
    "testp." #p ".f64", test_property<double, p<double>>, "dps8", kKind  \
  }

constexpr isa::Form kForms[] = {
    EQUALITY("b16", uint16_t, "2"),
    EQUALITY("b32", uint32_t, "4"),
    EQUALITY("b64", uint64_t, "8"),
    UNSIGNED_ORDER("u16", uint16_t, "2"),
    UNSIGNED_ORDER("u32", uint32_t, "4"),
    UNSIGNED_ORDER("u64", uint64_t, "8"),
    ORDER("s16", int16_t, "2"),
    ORDER("s32", int32_t, "4"),
    ORDER("s64", int64_t, "8"),
    FLOAT_ORDER("f32", float, "4"),
    FLOAT_ORDER("f64", double, "8"),
    COMPARE_FTZ("eq", eq),
    COMPARE_FTZ("ne", ne),
    COMPARE_FTZ("lt", lt),
    COMPARE_FTZ("le", le),
    COMPARE_FTZ("gt", gt),
    COMPARE_FTZ("ge", ge),
    COMPARE_FTZ("equ", equ),
    COMPARE_FTZ("neu", neu),
    COMPARE_FTZ("ltu", ltu),
    COMPARE_FTZ("leu", leu),
    COMPARE_FTZ("gtu", gtu),
    COMPARE_FTZ("geu", geu),
    COMPARE_FTZ("num", num),
    COMPARE_FTZ("nan", nan),
    SELECT("b16", uint16_t, "2"),
    SELECT("b32", uint32_t, "4"),
    SELECT("b64", uint64_t, "8"),
    SELECT("u16", uint16_t, "2"),
    SELECT("u32", uint32_t, "4"),
    SELECT("u64", uint64_t, "8"),
    SELECT("s16", uint16_t, "2"),
    SELECT("s32", uint32_t, "4"),
    SELECT("s64", uint64_t, "8"),
    SELECT("f32", uint32_t, "4"),
    SELECT("f64", uint64_t, "8"),
    PROPERTY(finite),
    PROPERTY(infinite),
    PROPERTY(number),
    PROPERTY(notanumber),
    PROPERTY(normal),
    PROPERTY(subnormal),
};

}  // namespace

extern const isa::FormList compare_forms;
const isa::FormList compare_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
