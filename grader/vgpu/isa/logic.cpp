// Logic, shifts and bit fields (PTX ISA 9.0, sections 9.7.1 and 9.7.8).
#include <cstdint>

#include "isa/map.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using b16 = uint16_t;
using b32 = uint32_t;
using b64 = uint64_t;

template <class T>
constexpr T and_(T a, T b) {
  return static_cast<T>(a & b);
}
template <class T>
constexpr T or_(T a, T b) {
  return static_cast<T>(a | b);
}
template <class T>
constexpr T xor_(T a, T b) {
  return static_cast<T>(a ^ b);
}
template <class T>
constexpr T not_(T a) {
  return static_cast<T>(~a);
}
template <class T>
constexpr T cnot(T a) {
  return a == 0;
}

// Shift amounts beyond the width shift everything out (signed: fill with the sign).
template <class T>
constexpr T shl(T a, uint32_t n) {
  return n >= 8 * sizeof(T) ? T{0} : static_cast<T>(a << (n & (8 * sizeof(T) - 1)));
}
template <class T>
constexpr T shr(T a, uint32_t n) {
  constexpr uint32_t kLast = 8 * sizeof(T) - 1;
  if constexpr (static_cast<T>(-1) < 0) return static_cast<T>(a >> (n > kLast ? kLast : n));
  return n > kLast ? T{0} : static_cast<T>(a >> (n & kLast));
}
constexpr b32 funnel_left(b32 low, b32 high, uint32_t n) {
  return static_cast<b32>(((b64{high} << 32 | low) << n) >> 32);
}
constexpr b32 funnel_right(b32 low, b32 high, uint32_t n) {
  return static_cast<b32>((b64{high} << 32 | low) >> n);
}
constexpr b32 shf_l_wrap(b32 a, b32 b, uint32_t n) {
  return funnel_left(a, b, n & 31);
}
constexpr b32 shf_l_clamp(b32 a, b32 b, uint32_t n) {
  return funnel_left(a, b, n > 32 ? 32 : n);
}
constexpr b32 shf_r_wrap(b32 a, b32 b, uint32_t n) {
  return funnel_right(a, b, n & 31);
}
constexpr b32 shf_r_clamp(b32 a, b32 b, uint32_t n) {
  return funnel_right(a, b, n > 32 ? 32 : n);
}

constexpr uint32_t popc32(b32 a) {
  return static_cast<uint32_t>(__builtin_popcount(a));
}
constexpr uint32_t popc64(b64 a) {
  return static_cast<uint32_t>(__builtin_popcountll(a));
}
constexpr uint32_t clz32(b32 a) {
  return a == 0 ? 32 : static_cast<uint32_t>(__builtin_clz(a));
}
constexpr uint32_t clz64(b64 a) {
  return a == 0 ? 64 : static_cast<uint32_t>(__builtin_clzll(a));
}
template <class T>
constexpr T brev(T a) {
  T r = 0;
  for (size_t i = 0; i < 8 * sizeof(T); ++i) r = static_cast<T>(r << 1 | (a >> i & 1));
  return r;
}

// Position of the highest bit that differs from the sign; all ones when there is none. `shift`
// counts from the top.
template <class T, bool kShift>
constexpr uint32_t bfind(T a) {
  if (static_cast<T>(-1) < 0 && a < 0) a = static_cast<T>(~a);
  const auto bits = static_cast<b64>(a) & (sizeof(T) == 8 ? ~b64{0} : 0xFFFFFFFFu);
  if (bits == 0) return 0xFFFFFFFFu;
  const uint32_t position = 63 - static_cast<uint32_t>(__builtin_clzll(bits));
  return kShift ? static_cast<uint32_t>(8 * sizeof(T)) - 1 - position : position;
}

// Positions and lengths of 32-bit fields are the lowest byte of their operand; 64-bit fields, which
// the hardware takes apart into several instructions, use all of it.
template <class T>
constexpr uint32_t field_amount(uint32_t operand) {
  return sizeof(T) == 4 ? operand & 0xFF : operand < 128 ? operand : 128;
}

template <class T>
constexpr T bfe(T a, uint32_t position, uint32_t length) {
  constexpr uint32_t kBits = 8 * sizeof(T);
  position = field_amount<T>(position);
  length = field_amount<T>(length);
  const bool is_signed = static_cast<T>(-1) < 0;
  if (length == 0) return 0;
  const uint32_t top = position + length - 1 < kBits - 1 ? position + length - 1 : kBits - 1;
  const bool sign = is_signed && (static_cast<b64>(a) >> top & 1) != 0;
  b64 field = position >= kBits ? 0 : static_cast<b64>(a) & (kBits == 64 ? ~b64{0} : 0xFFFFFFFFu);
  field = position >= kBits ? 0 : field >> position;
  const b64 mask = length >= 64 ? ~b64{0} : (b64{1} << length) - 1;
  field &= mask;
  const uint32_t valid = position >= kBits ? 0 : kBits - position;  // bits of the field that exist
  const uint32_t kept = length < valid ? length : valid;
  if (sign && kept < 64) field |= ~b64{0} << kept;
  return static_cast<T>(field);
}
template <class T>
constexpr T bfi(T a, T b, uint32_t position, uint32_t length) {
  constexpr uint32_t kBits = 8 * sizeof(T);
  position = field_amount<T>(position);
  length = field_amount<T>(length);
  if (length == 0 || position >= kBits) return b;
  const T field = length >= kBits ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << length) - 1);
  const T mask = static_cast<T>(field << position);
  return static_cast<T>((b & ~mask) | ((a << position) & mask));
}

template <class T>
const Op* bit_field_insert(Warp& w, const Op* op) {
  const T* a = w.lanes<T>(op->a);
  const T* b = w.lanes<T>(op->b);
  const uint32_t* position = w.lanes<uint32_t>(op->c);
  const uint32_t* length = w.lanes<uint32_t>(w.operands[op->extra]);
  write_lanes<T>(w, op->d, [&](int i) { return bfi<T>(a[i], b[i], position[i], length[i]); });
  return next(w, op + 1);
}

constexpr b32 prmt(b32 a, b32 b, b32 selector) {
  const b64 bytes = b64{b} << 32 | a;
  b32 result = 0;
  for (int k = 0; k < 4; ++k) {
    const b32 s = selector >> 4 * k & 0xF;
    b32 byte = static_cast<b32>(bytes >> 8 * (s & 7)) & 0xFF;
    if ((s & 8) != 0) byte = (byte & 0x80) != 0 ? 0xFF : 0;
    result |= byte << 8 * k;
  }
  return result;
}
// The selecting modes of prmt, spelled as selectors of the default mode (PTX ISA 9.0, table of prmt
// modes).
constexpr b32 prmt_mode(b32 a, b32 b, b32 c, const uint16_t* selectors) {
  return prmt(a, b, selectors[c & 3]);
}
constexpr uint16_t kForward4[] = {0x3210, 0x4321, 0x5432, 0x6543};
constexpr uint16_t kBackward4[] = {0x5670, 0x6701, 0x7012, 0x0123};
constexpr uint16_t kReplicate8[] = {0x0000, 0x1111, 0x2222, 0x3333};
constexpr uint16_t kEdgeLeft[] = {0x3210, 0x3211, 0x3222, 0x3333};
constexpr uint16_t kEdgeRight[] = {0x0000, 0x1110, 0x2210, 0x3210};
constexpr uint16_t kReplicate16[] = {0x1010, 0x3232, 0x1010, 0x3232};
constexpr b32 prmt_f4e(b32 a, b32 b, b32 c) {
  return prmt_mode(a, b, c, kForward4);
}
constexpr b32 prmt_b4e(b32 a, b32 b, b32 c) {
  return prmt_mode(a, b, c, kBackward4);
}
constexpr b32 prmt_rc8(b32 a, b32 b, b32 c) {
  return prmt_mode(a, b, c, kReplicate8);
}
constexpr b32 prmt_ecl(b32 a, b32 b, b32 c) {
  return prmt_mode(a, b, c, kEdgeLeft);
}
constexpr b32 prmt_ecr(b32 a, b32 b, b32 c) {
  return prmt_mode(a, b, c, kEdgeRight);
}
constexpr b32 prmt_rc16(b32 a, b32 b, b32 c) {
  return prmt_mode(a, b, c, kReplicate16);
}

// A mask of `length` ones from `position` on. Clamped: amounts above 32 count as 32; otherwise
// modulo 32.
constexpr b32 bmsk_clamp(uint32_t position, uint32_t length) {
  const b64 ones = (b64{1} << (length > 32 ? 32 : length)) - 1;
  return position > 31 ? 0 : static_cast<b32>(ones << position);
}
constexpr b32 bmsk_wrap(uint32_t position, uint32_t length) {
  return ((b32{1} << (length & 31)) - 1) << (position & 31);
}
// The lowest n bits of a, with the sign of the highest of them when T has one.
template <class T, bool kClamp>
constexpr b32 szext(b32 a, uint32_t n) {
  const uint32_t bits = kClamp ? (n > 32 ? 32 : n) : n & 31;
  if (bits == 0) return 0;
  return static_cast<b32>(static_cast<T>(a << (32 - bits)) >> (32 - bits));
}

// lop3: the table's bit (a,b,c) for each bit position; the table is a constant operand, the same in
// every lane.
const Op* lop3(Warp& w, const Op* op) {
  const b32* a = w.lanes<b32>(op->a);
  const b32* b = w.lanes<b32>(op->b);
  const b32* c = w.lanes<b32>(op->c);
  const b32 table = w.lanes<b32>(w.operands[op->extra])[0];
  write_lanes<b32>(w, op->d, [&](int i) {
    b32 result = 0;
    for (uint32_t k = 0; k < 8; ++k) {
      const b32 hit = ((k & 4) != 0 ? a[i] : ~a[i]) & ((k & 2) != 0 ? b[i] : ~b[i]) &
                      ((k & 1) != 0 ? c[i] : ~c[i]);
      result |= hit & (0u - (table >> k & 1));
    }
    return result;
  });
  return next(w, op + 1);
}

// Predicates are one bit per lane: a whole warp in one word.
template <uint32_t F(uint32_t, uint32_t)>
const Op* predicate2(Warp& w, const Op* op) {
  write_predicate(w, op->d, F(w.predicate(op->a), w.predicate(op->b)));
  return next(w, op + 1);
}
constexpr uint32_t pand(uint32_t a, uint32_t b) {
  return a & b;
}
constexpr uint32_t por(uint32_t a, uint32_t b) {
  return a | b;
}
constexpr uint32_t pxor(uint32_t a, uint32_t b) {
  return a ^ b;
}
constexpr uint32_t pandn(uint32_t a, uint32_t b) {
  return a & ~b;
}
constexpr uint32_t porn(uint32_t a, uint32_t b) {
  return a | ~b;
}
constexpr uint32_t pxorn(uint32_t a, uint32_t b) {
  return a ^ ~b;
}
const Op* not_predicate(Warp& w, const Op* op) {
  write_predicate(w, op->d, ~w.predicate(op->a));
  return next(w, op + 1);
}
const Op* move_predicate(Warp& w, const Op* op) {
  write_predicate(w, op->d, w.predicate(op->a));
  return next(w, op + 1);
}

constexpr auto kInteger = InstructionClass::Integer;
constexpr auto kPredicate = InstructionClass::Predicate;

#define LOGIC2(name, function)                                                 \
  {name ".b16", map2<function<b16>, b16, b16, b16>, "d2s2s2", kInteger},       \
      {name ".b32", map2<function<b32>, b32, b32, b32>, "d4s4s4", kInteger}, { \
    name ".b64", map2<function<b64>, b64, b64, b64>, "d8s8s8", kInteger        \
  }
#define LOGIC1(name, function)                                          \
  {name ".b16", map1<function<b16>, b16, b16>, "d2s2", kInteger},       \
      {name ".b32", map1<function<b32>, b32, b32>, "d4s4", kInteger}, { \
    name ".b64", map1<function<b64>, b64, b64>, "d8s8", kInteger        \
  }
#define SHIFT(name, function, type, T, w) \
  { name "." type, map2<function<T>, T, T, uint32_t>, "d" w "s" w "s4", kInteger }
#define FUNNEL(name, function) \
  { name, map3<function, b32, b32, b32, uint32_t>, "d4s4s4s4", kInteger }
#define FIELD(type, T, w)                                                              \
  {"bfe." type, map3<bfe<T>, T, T, uint32_t, uint32_t>, "d" w "s" w "s4s4", kInteger}, \
      {"bfind." type, map1<bfind<T, false>, uint32_t, T>, "d4s" w, kInteger}, {        \
    "bfind.shiftamt." type, map1<bfind<T, true>, uint32_t, T>, "d4s" w, kInteger       \
  }
#define PERMUTE(mode) \
  { "prmt.b32." #mode, map3<prmt_##mode, b32, b32, b32, b32>, "d4s4s4s4", kInteger }

constexpr isa::Form kForms[] = {
    LOGIC2("and", and_),
    LOGIC2("or", or_),
    LOGIC2("xor", xor_),
    LOGIC1("not", not_),
    LOGIC1("cnot", cnot),
    SHIFT("shl", shl, "b16", b16, "2"),
    SHIFT("shl", shl, "b32", b32, "4"),
    SHIFT("shl", shl, "b64", b64, "8"),
    SHIFT("shr", shr, "b16", b16, "2"),
    SHIFT("shr", shr, "b32", b32, "4"),
    SHIFT("shr", shr, "b64", b64, "8"),
    SHIFT("shr", shr, "u16", b16, "2"),
    SHIFT("shr", shr, "u32", b32, "4"),
    SHIFT("shr", shr, "u64", b64, "8"),
    SHIFT("shr", shr, "s16", int16_t, "2"),
    SHIFT("shr", shr, "s32", int32_t, "4"),
    SHIFT("shr", shr, "s64", int64_t, "8"),
    FUNNEL("shf.l.wrap.b32", shf_l_wrap),
    FUNNEL("shf.l.clamp.b32", shf_l_clamp),
    FUNNEL("shf.r.wrap.b32", shf_r_wrap),
    FUNNEL("shf.r.clamp.b32", shf_r_clamp),
    {"bmsk.clamp.b32", map2<bmsk_clamp, b32, uint32_t, uint32_t>, "d4s4s4", kInteger},
    {"bmsk.wrap.b32", map2<bmsk_wrap, b32, uint32_t, uint32_t>, "d4s4s4", kInteger},
    {"szext.clamp.u32", map2<szext<uint32_t, true>, b32, b32, uint32_t>, "d4s4s4", kInteger},
    {"szext.clamp.s32", map2<szext<int32_t, true>, b32, b32, uint32_t>, "d4s4s4", kInteger},
    {"szext.wrap.u32", map2<szext<uint32_t, false>, b32, b32, uint32_t>, "d4s4s4", kInteger},
    {"szext.wrap.s32", map2<szext<int32_t, false>, b32, b32, uint32_t>, "d4s4s4", kInteger},
    {"popc.b32", map1<popc32, uint32_t, b32>, "d4s4", kInteger},
    {"popc.b64", map1<popc64, uint32_t, b64>, "d4s8", kInteger},
    {"clz.b32", map1<clz32, uint32_t, b32>, "d4s4", kInteger},
    {"clz.b64", map1<clz64, uint32_t, b64>, "d4s8", kInteger},
    {"brev.b32", map1<brev<b32>, b32, b32>, "d4s4", kInteger},
    {"brev.b64", map1<brev<b64>, b64, b64>, "d8s8", kInteger},
    FIELD("u32", uint32_t, "4"),
    FIELD("s32", int32_t, "4"),
    FIELD("u64", uint64_t, "8"),
    FIELD("s64", int64_t, "8"),
    {"bfi.b32", bit_field_insert<b32>, "d4s4s4s4s4", kInteger},
    {"bfi.b64", bit_field_insert<b64>, "d8s8s8s4s4", kInteger},
    {"prmt.b32", map3<prmt, b32, b32, b32, b32>, "d4s4s4s4", kInteger},
    PERMUTE(f4e),
    PERMUTE(b4e),
    PERMUTE(rc8),
    PERMUTE(ecl),
    PERMUTE(ecr),
    PERMUTE(rc16),
    {"lop3.b32", lop3, "d4s4s4s4s4", kInteger},
    {"and.pred", predicate2<pand>, "dpspsp", kPredicate},
    {"or.pred", predicate2<por>, "dpspsp", kPredicate},
    {"xor.pred", predicate2<pxor>, "dpspsp", kPredicate},
    // Not PTX: what the decoder needs for the combining forms of setp.
    {"andn.pred", predicate2<pandn>, "dpspsp", kPredicate},
    {"orn.pred", predicate2<porn>, "dpspsp", kPredicate},
    {"xorn.pred", predicate2<pxorn>, "dpspsp", kPredicate},
    {"not.pred", not_predicate, "dpsp", kPredicate},
    {"mov.pred", move_predicate, "dpsp", kPredicate},
};

}  // namespace

extern const isa::FormList logic_forms;
const isa::FormList logic_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
