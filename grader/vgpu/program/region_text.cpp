#include "program/region_text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "isa/isa.hpp"

namespace vgpu {
namespace {

using ptx::Instruction;
using ptx::Operand;

// What instructions do, operands a, b, c in written order. U, I, F: vectors of unsigned, signed and
// floating words; predicates are I, all ones or zero in each lane. Every NaN of a float result
// stands for the hardware's: canonical() puts that in its place before anybody looks at the bits.
// isa/*.cpp do the same, lane by lane; tests/vgpu/compile compares.
using Expressions = std::map<std::string_view, std::string_view>;
const Expressions kFloat = {
    {"add.f32", "(U)((F)a + (F)b)"},      {"add.rn.f32", "(U)((F)a + (F)b)"},
    {"sub.f32", "(U)((F)a - (F)b)"},      {"sub.rn.f32", "(U)((F)a - (F)b)"},
    {"mul.f32", "(U)((F)a * (F)b)"},      {"mul.rn.f32", "(U)((F)a * (F)b)"},
    {"div.rn.f32", "(U)((F)a / (F)b)"},   {"fma.rn.f32", "(U)fused((F)a, (F)b, (F)c)"},
    {"max.f32", "(U)most((F)a, (F)b)"},   {"min.f32", "(U)least((F)a, (F)b)"},
    {"neg.f32", "a ^ 0x80000000u"},       {"abs.f32", "a & 0x7FFFFFFFu"},
    {"ex2.approx.f32", "(U)ex2((F)a)"},   {"ex2.approx.ftz.f32", "flush((U)ex2((F)flush(a)))"},
    {"setp.eq.f32", "(I)((F)a == (F)b)"}, {"setp.neu.f32", "(I)((F)a != (F)b)"},
    {"setp.lt.f32", "(I)((F)a < (F)b)"},  {"setp.le.f32", "(I)((F)a <= (F)b)"},
    {"setp.gt.f32", "(I)((F)a > (F)b)"},  {"setp.ge.f32", "(I)((F)a >= (F)b)"},
};
const Expressions kBits = {
    {"mov.f32", "a"},
    {"mov.b32", "a"},
    {"mov.u32", "a"},
    {"mov.s32", "a"},
    {"add.u32", "a + b"},
    {"add.s32", "a + b"},
    {"sub.u32", "a - b"},
    {"sub.s32", "a - b"},
    {"mul.lo.u32", "a * b"},
    {"mul.lo.s32", "a * b"},
    {"mad.lo.u32", "a * b + c"},
    {"mad.lo.s32", "a * b + c"},
    {"neg.s32", "0u - a"},
    {"min.u32", "a < b ? a : b"},
    {"max.u32", "a > b ? a : b"},
    {"min.s32", "(I)a < (I)b ? a : b"},
    {"max.s32", "(I)a > (I)b ? a : b"},
    {"and.b32", "a & b"},
    {"or.b32", "a | b"},
    {"xor.b32", "a ^ b"},
    {"not.b32", "~a"},
    {"shl.b32", "b > 31 ? a ^ a : a << (b & 31)"},
    {"shr.b32", "b > 31 ? a ^ a : a >> (b & 31)"},
    {"shr.u32", "b > 31 ? a ^ a : a >> (b & 31)"},
    {"shr.s32", "(U)((I)a >> (I)(b > 31 ? splat(31u) : b))"},
    {"selp.f32", "c ? a : b"},
    {"selp.b32", "c ? a : b"},
    {"selp.u32", "c ? a : b"},
    {"selp.s32", "c ? a : b"},
    {"setp.eq.u32", "(I)(a == b)"},
    {"setp.eq.s32", "(I)(a == b)"},
    {"setp.ne.u32", "(I)(a != b)"},
    {"setp.ne.s32", "(I)(a != b)"},
    {"setp.lt.u32", "(I)(a < b)"},
    {"setp.lt.s32", "(I)((I)a < (I)b)"},
    {"setp.le.u32", "(I)(a <= b)"},
    {"setp.le.s32", "(I)((I)a <= (I)b)"},
    {"setp.gt.u32", "(I)(a > b)"},
    {"setp.gt.s32", "(I)((I)a > (I)b)"},
    {"setp.ge.u32", "(I)(a >= b)"},
    {"setp.ge.s32", "(I)((I)a >= (I)b)"},
    {"and.pred", "a & b"},
    {"or.pred", "a | b"},
    {"xor.pred", "a ^ b"},
    {"not.pred", "~a"},
};

constexpr const char* kPrelude = R"(
typedef float F __attribute__((vector_size(BYTES)));
typedef int I __attribute__((vector_size(BYTES)));
typedef unsigned U __attribute__((vector_size(BYTES)));
typedef unsigned char Byte;
#define INLINE static inline __attribute__((always_inline))
INLINE U splat(unsigned x) { return x - U{}; }
INLINE F splat(float x) { return x - F{}; }
INLINE U load(const Byte* p) { U v; __builtin_memcpy(&v, p, sizeof v); return v; }
INLINE unsigned bits(const Byte* p) { unsigned x; __builtin_memcpy(&x, p, 4); return x; }
INLINE void store(Byte* p, U v) { __builtin_memcpy(p, &v, sizeof v); }
INLINE void store(Byte* p, unsigned x) { __builtin_memcpy(p, &x, 4); }
INLINE U canonical(U v) { return (F)v == (F)v ? v : splat(0x7FFFFFFFu); }
INLINE U flush(U v) { return (v & 0x7F800000u) == 0 ? v & 0x80000000u : v; }
#if BYTES == 64
INLINE F fused(F a, F b, F c) { return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4); }
INLINE unsigned bits(I v) { return (unsigned short)__builtin_ia32_cvtd2mask512(v); }
INLINE I lanes(unsigned b) { return __builtin_ia32_cvtmask2d512((unsigned short)b); }
#else
INLINE F fused(F a, F b, F c) { return __builtin_ia32_vfmaddps256(a, b, c); }
INLINE unsigned bits(I v) { return (Byte)__builtin_ia32_movmskps256((F)v); }
INLINE I lanes(unsigned b) { const I bit = {1, 2, 4, 8, 16, 32, 64, 128}; return ((int)b & bit) != 0; }
#endif
INLINE F most(F a, F b) {
  const F c = a != a ? b : a, higher = b > c ? b : c;
  return b == c ? (F)((U)b & (U)c) : higher;
}
INLINE F least(F a, F b) {
  const F c = a != a ? b : a, lower = b < c ? b : c;
  return b == c ? (F)((U)b | (U)c) : lower;
}
INLINE F ex2(F x) {
  const F low = splat(-252.0f), high = splat(252.0f), round = splat(12582912.0f);
  const F least = low > x ? low : x, clamped = high < least ? high : least;
  const F shifted = clamped + round, f = clamped - (shifted - round);
  const I n = (I)shifted - (I)round, half = n >> 1;
  F p = splat(1.5252734e-5f);
  p = fused(p, f, splat(1.5403530e-4f));
  p = fused(p, f, splat(1.3333558e-3f));
  p = fused(p, f, splat(9.6181291e-3f));
  p = fused(p, f, splat(5.5504109e-2f));
  p = fused(p, f, splat(2.4022651e-1f));
  p = fused(p, f, splat(6.9314718e-1f));
  p = fused(p, f, splat(1.0f));
  return p * (F)((half + 127) << 23) * (F)((n - half + 127) << 23);
}
)";

std::string identifier(std::string mnemonic) {
  std::replace(mnemonic.begin(), mnemonic.end(), '.', '_');
  return mnemonic;
}

bool is_predicate(const ptx::Function& function, int r) {
  return function.registers[static_cast<size_t>(r)].type == ptx::Type::Pred;
}

class RegionWriter {
 public:
  RegionWriter(const ptx::Function& function, const Region& region, const RegisterTraffic& traffic,
               const RegisterSlots& slots, uint32_t vector_bytes)
      : function_(function),
        region_(region),
        traffic_(traffic),
        slots_(slots),
        vector_bytes_(vector_bytes),
        vectors_(128 / vector_bytes) {}

  std::string write() {
    for (size_t i = region_.first; i < region_.first + region_.length; ++i) note(i);
    auto load = region_.loads.begin();
    for (size_t i = region_.first; i < region_.first + region_.length; ++i) {
      if (load != region_.loads.end() && load->instruction == i)
        write_load(*load++);
      else
        write_arithmetic(function_.body[i]);
      for (const int r : register_use(function_.body[i]).writes) {
        if (last_write_[r] == i && is_wanted(r)) write_store(r);
      }
    }
    return text_;
  }

 private:
  void note(size_t i) {
    const RegisterUse use = register_use(function_.body[i]);
    for (const int r : use.reads) {
      if (!last_write_.contains(r)) read_first_.insert(r);
      ++reads_[r];
    }
    for (const int r : use.writes) last_write_[r] = i;
  }

  /// Whether anybody reads what the region leaves in a register.
  bool is_wanted(int r) {
    return read_first_.contains(r) || reads_[r] != traffic_.reads[static_cast<size_t>(r)];
  }

  static std::string name(int r, uint32_t k) {
    return "v" + std::to_string(r) + "_" + std::to_string(k);
  }
  /// Where vector `k` of a register lies, or the word of a predicate.
  std::string place(int r, uint32_t k) const {
    return "r + " + std::to_string(slots_.offset[static_cast<size_t>(r)] + k * vector_bytes_);
  }
  /// Declares a variable when it is new.
  void assign(int r, uint32_t k, const std::string& value) {
    if (declared_.emplace(r, k).second) text_ += is_predicate(function_, r) ? "I " : "U ";
    text_ += name(r, k) + " = " + value + ";\n";
  }

  std::string argument(const Operand& o, uint32_t k, bool is_float) {
    if (o.kind != Operand::Kind::Register)
      return "splat(" + std::to_string(static_cast<uint32_t>(o.bits)) + "u)";
    if (!declared_.contains({o.reg, k}))
      assign(o.reg, k,
             is_predicate(function_, o.reg) ? "lanes(bits(" + place(o.reg, 0) + ") >> " +
                                                  std::to_string(k * vector_bytes_ / 4) + ")"
                                            : "load(" + place(o.reg, k) + ")");
    return !is_float && any_nan_.contains(o.reg) ? "canonical(" + name(o.reg, k) + ")"
                                                 : name(o.reg, k);
  }

  void write_arithmetic(const Instruction& i) {
    const std::string mnemonic = i.mnemonic();
    const bool is_float = kFloat.contains(mnemonic);
    const int d = i.operands[0].reg;
    std::vector<std::string> values;  // all vectors are read before one is written
    for (uint32_t k = 0; k < vectors_; ++k) {
      std::string arguments;
      for (size_t operand = 1; operand < i.operands.size(); ++operand)
        arguments += (operand > 1 ? ", " : "") + argument(i.operands[operand], k, is_float);
      values.push_back(identifier(mnemonic) + "(" + arguments + ")");
    }
    for (uint32_t k = 0; k < vectors_; ++k) assign(d, k, values[k]);
    if (is_float && !is_predicate(function_, d))
      any_nan_.insert(d);
    else
      any_nan_.erase(d);
  }

  void write_load(const Region::Load& load) {
    const Instruction& i = function_.body[load.instruction];
    const std::string base = std::to_string(load.base);
    for (uint32_t element = 0; element < load.elements; ++element) {
      const int d = (load.elements == 1 ? i.operands[0] : i.operands[0].elements[element]).reg;
      const std::string from =
          "s[" + base + "] + " + std::to_string(i.operands[1].bits + 4 * element);
      for (uint32_t k = 0; k < vectors_; ++k) {
        const std::string row = "load(" + from + " + " + std::to_string(k * vector_bytes_) + ")";
        assign(d, k,
               (region_.bases[load.base].varies ? "row" + base + " ? " + row + " : " : "") +
                   "splat(bits(" + from + "))");
      }
      any_nan_.erase(d);
    }
  }

  void write_store(int r) {
    if (is_predicate(function_, r)) {
      std::string word;
      for (uint32_t k = 0; k < vectors_; ++k)
        word += (k > 0 ? " | bits(" : "bits(") + name(r, k) + ") << " +
                std::to_string(k * vector_bytes_ / 4);
      text_ += "store(" + place(r, 0) + ", " + word + ");\n";
      return;
    }
    for (uint32_t k = 0; k < vectors_; ++k)
      text_ += "store(" + place(r, k) + ", " +
               (any_nan_.contains(r) ? "canonical(" + name(r, k) + ")" : name(r, k)) + ");\n";
  }

  const ptx::Function& function_;
  const Region& region_;
  const RegisterTraffic& traffic_;
  const RegisterSlots& slots_;
  const uint32_t vector_bytes_, vectors_;
  std::string text_;
  std::map<int, size_t> last_write_;
  std::map<int, uint32_t> reads_;
  std::set<int> read_first_;
  std::set<int> any_nan_;  // registers whose variables are not canonical
  std::set<std::pair<int, uint32_t>> declared_;
};

}  // namespace

bool is_word(const ptx::Function& function, const Operand& o) {
  return o.kind == Operand::Kind::Register && o.pair < 0 &&
         lane_bytes(function.registers[static_cast<size_t>(o.reg)].type) == 4;
}

bool can_write(const ptx::Function& function, const Instruction& i) {
  const std::string mnemonic = i.mnemonic();
  if (!kFloat.contains(mnemonic) && !kBits.contains(mnemonic)) return false;
  const std::string_view form = isa::find(mnemonic)->operands;
  if (i.operands.size() != form.size() / 2) return false;
  for (size_t k = 0; k < i.operands.size(); ++k) {
    const Operand& o = i.operands[k];
    const bool fits =
        form[2 * k + 1] == 'p'
            ? o.kind == Operand::Kind::Register && o.pair < 0 && !o.negated &&
                  is_predicate(function, o.reg)
            : is_word(function, o) ||
                  (k > 0 && (o.kind == Operand::Kind::Integer || o.kind == Operand::Kind::Float32));
    if (!fits) return false;
  }
  return true;
}

std::string write_region(const std::string& name, const ptx::Function& function,
                         const Region& region, const RegisterTraffic& traffic,
                         const RegisterSlots& slots, uint32_t vector_bytes) {
  // Which bases are rows is known when the region executes: a copy of the body for each case.
  std::string parameters, cases;
  std::vector<size_t> varying;
  for (size_t k = 0; k < region.bases.size(); ++k) {
    if (!region.bases[k].varies) continue;
    parameters += (varying.empty() ? "bool row" : ", bool row") + std::to_string(k);
    varying.push_back(k);
  }
  for (uint32_t subset = 0; subset < 1u << varying.size(); ++subset) {
    uint32_t rows = 0;
    std::string arguments;
    for (size_t k = 0; k < varying.size(); ++k) {
      const bool is_row = (subset >> k & 1) != 0;
      rows |= static_cast<uint32_t>(is_row) << varying[k];
      arguments += std::string(k > 0 ? ", " : "") + (is_row ? "true" : "false");
    }
    cases += "case " + std::to_string(rows) + ": return body_" + name +
             (varying.empty() ? "" : "<" + arguments + ">") + "(r, s);\n";
  }
  return (varying.empty() ? "" : "template <" + parameters + ">\n") + "INLINE void body_" + name +
         "(Byte* r, const Byte* const* s) {\n" +
         RegionWriter(function, region, traffic, slots, vector_bytes).write() +
         "}\nextern \"C\" void " + name +
         "(Byte* r, const Byte* const* s, unsigned rows) {\nswitch (rows) {\n" + cases + "}\n}\n";
}

std::string region_prelude(uint32_t vector_bytes) {
  std::string text = "#define BYTES " + std::to_string(vector_bytes) + kPrelude;
  for (const Expressions* list : {&kFloat, &kBits}) {
    for (const auto& [mnemonic, expression] : *list) {
      const std::string_view form = isa::find(mnemonic)->operands;
      const auto type = [&](size_t k) { return form[2 * k + 1] == 'p' ? "I " : "U "; };
      text += std::string("INLINE ") + type(0) + identifier(std::string(mnemonic)) + "(";
      for (size_t k = 1; k < form.size() / 2; ++k)
        text += std::string(k > 1 ? ", " : "") + type(k) + static_cast<char>('a' + k - 1);
      text += ") { return " + std::string(expression) + "; }\n";
    }
  }
  return text;
}

}  // namespace vgpu
