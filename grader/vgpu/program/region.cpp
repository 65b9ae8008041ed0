#include "program/region.hpp"

#include <algorithm>
#include <set>

#include "isa/isa.hpp"
#include "program/region_text.hpp"

namespace vgpu {
namespace {

using ptx::Instruction;
using ptx::Operand;

constexpr size_t kFewest = 4;  // instructions: below this the call costs more than it saves
constexpr size_t kMostVaryingBases = 2;  // each doubles the code

class RegionFinder {
 public:
  RegionFinder(const ptx::Function& function, const std::vector<bool>& varying)
      : function_(function), varying_(varying) {}

  /// False when instruction number `index` ends the region.
  bool accept(size_t index) {
    const Instruction& i = function_.body[index];
    if (i.guard >= 0 || !(i.opcode == "ld" ? accept_load(index) : can_write(function_, i)))
      return false;
    for (const int r : register_use(i).writes) written_.insert(r);
    ++region.length;
    return true;
  }

  Region region;

 private:
  bool accept_load(size_t index) {
    const Instruction& i = function_.body[index];
    const auto& m = i.modifiers;
    const uint32_t elements = m.size() == 2   ? 1
                              : m.size() != 3 ? 0
                              : m[1] == "v2"  ? 2
                              : m[1] == "v4"  ? 4
                                              : 0;
    if (elements == 0 || m[0] != "shared" || i.operands.size() != 2 ||
        (m.back() != "f32" && m.back() != "b32" && m.back() != "u32" && m.back() != "s32"))
      return false;
    const Operand& to = i.operands[0];
    const std::vector<Operand> single{to};
    const std::vector<Operand>& parts = elements == 1 ? single : to.elements;
    if (parts.size() != elements || !std::all_of(parts.begin(), parts.end(), [&](const Operand& o) {
          return is_word(function_, o);
        }))
      return false;

    const Operand& where = i.operands[1];
    const int64_t size = 4 * int64_t{elements};
    if (where.kind != Operand::Kind::Address || where.reg < 0 || where.bits % size != 0 ||
        where.bits != std::clamp(where.bits, -kFarthestOffset, kFarthestOffset) ||
        written_.contains(where.reg))
      return false;
    auto& bases = region.bases;
    auto base = std::find_if(bases.begin(), bases.end(),
                             [&](const Region::Base& b) { return b.address->reg == where.reg; });
    if (base == bases.end()) {
      const bool varies = varying_[static_cast<size_t>(where.reg)];
      if (bases.size() == isa::kMostRegionBases || (varies && ++varying_bases_ > kMostVaryingBases))
        return false;
      base = bases.insert(base, {&where, where.bits, where.bits, 4, varies});
    }
    base->low = std::min(base->low, where.bits);
    base->high = std::max(base->high, where.bits + size);
    base->alignment = std::max(base->alignment, static_cast<uint32_t>(size));
    base->varies &= elements == 1;
    region.loads.push_back({index, static_cast<size_t>(base - bases.begin()), elements});
    return true;
  }

  const ptx::Function& function_;
  const std::vector<bool>& varying_;
  std::set<int> written_;
  size_t varying_bases_ = 0;
};

}  // namespace

// What a branch makes of a register is left out: that a base varies is a guess, which is looked at
// again when the region executes.
std::vector<bool> varying_registers(const ptx::Function& function) {
  std::vector<bool> varying(function.registers.size());
  for (bool changed = true; changed;) {
    changed = false;
    for (const Instruction& i : function.body) {
      const RegisterUse use = register_use(i);
      bool varies = (i.opcode == "ld" && !i.has("param")) || i.opcode == "atom" ||
                    i.opcode == "shfl" || i.opcode == "call";
      for (const Operand& o : i.operands)
        varies |= o.kind == Operand::Kind::Special &&
                  (o.name.starts_with("%tid") || o.name.starts_with("%lane"));
      for (const int r : use.reads) varies |= varying[static_cast<size_t>(r)];
      for (const int r : use.writes) {
        changed |= varies && !varying[static_cast<size_t>(r)];
        varying[static_cast<size_t>(r)] = varies || varying[static_cast<size_t>(r)];
      }
    }
  }
  return varying;
}

Region find_region(const ptx::Function& function, size_t first, size_t last,
                   const std::vector<bool>& varying) {
  RegionFinder finder(function, varying);
  for (size_t i = first; i < last && finder.accept(i);) ++i;
  finder.region.first = first;
  return finder.region.length < kFewest ? Region{} : finder.region;
}

}  // namespace vgpu
