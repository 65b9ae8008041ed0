#include "program/fuse_global.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "isa/isa.hpp"
#include "program/registers.hpp"

namespace vgpu {
namespace {

using ptx::Instruction;
using ptx::Operand;

constexpr size_t kFewestSteps = 4;  // below this the operation costs more than it saves

class GlobalRunFinder {
 public:
  explicit GlobalRunFinder(const RegisterTraffic& traffic) : traffic_(traffic) {}

  /// False when instruction number `index` ends the run.
  bool accept(const Instruction& i, size_t index) {
    if (i.guard >= 0) return false;
    if (i.opcode == "ld") return accept_load(i, index);
    return i.mnemonic() == "fma.rn.f32" && accept_fma(i);
  }

  /// True when everything loaded so far has been used up.
  bool is_closed() const { return open_ == 0; }

  GlobalRun run;

 private:
  bool is_register(const Operand& operand) const { return traffic_.is_word(operand); }

  struct Temporary {
    uint32_t base = 0;
    int32_t offset = 0;
    uint32_t uses_left = 0;
  };

  bool accept_load(const Instruction& i, size_t index) {
    int32_t elements = 1;
    bool is_global = false;
    for (const std::string& word : i.modifiers) {
      if (word == "global")
        is_global = true;
      else if (word == "v2" || word == "v4")
        elements = word == "v2" ? 2 : 4;
      else if (word != "nc" && word != "f32" && word != "b32")
        return false;
    }
    if (i.operands.size() != 2) return false;
    const Operand& where = i.operands[1];
    const auto offset = static_cast<int32_t>(where.bits), size = 4 * elements;
    words_ += static_cast<uint32_t>(elements);
    if (!is_global || where.kind != Operand::Kind::Address || where.reg < 0 ||
        where.bits != std::clamp(where.bits, -kFarthestOffset, kFarthestOffset) ||
        offset % size != 0 || words_ > isa::kMostGlobalWords)
      return false;
    uint32_t base = 0;
    while (base < GlobalRun::kBases && run.bases[base] != nullptr &&
           run.bases[base]->reg != where.reg)
      ++base;
    if (base == GlobalRun::kBases) return false;
    run.bases[base] = &where;
    run.loads.push_back({index, base, offset, size});
    if (elements == 1) return define(i.operands[0], base, offset);
    int32_t at = offset;
    if (i.operands[0].elements.size() != static_cast<size_t>(elements)) return false;
    for (const Operand& element : i.operands[0].elements) {
      if (!define(element, base, std::exchange(at, at + 4))) return false;
    }
    return true;
  }

  bool define(const Operand& target, uint32_t base, int32_t offset) {
    if (!is_register(target)) return false;
    const auto r = static_cast<size_t>(target.reg);
    if (traffic_.writes[r] != 1 || traffic_.reads[r] == 0) return false;
    temporaries_[target.reg] = {base, offset, traffic_.reads[r]};
    ++open_;
    return true;
  }

  GlobalRun::Factor use(const Operand& operand) {
    const auto found = temporaries_.find(operand.reg);
    if (found == temporaries_.end()) return {operand.reg, 0, 0};
    Temporary& temporary = found->second;
    if (--temporary.uses_left == 0) --open_;
    return {-1, temporary.base, temporary.offset};
  }

  bool accept_fma(const Instruction& i) {
    const auto& operands = i.operands;
    if (operands.size() != 4 || !std::all_of(operands.begin(), operands.end(),
                                             [&](const Operand& o) { return is_register(o); }))
      return false;
    const Operand &d = operands[0], &c = operands[3];
    if (temporaries_.contains(c.reg)) return false;
    const GlobalRun::Factor a = use(operands[1]), b = use(operands[2]);
    if (a.reg >= 0 && b.reg >= 0) return false;
    run.steps.push_back({a, b, c.reg, d.reg});
    return true;
  }

  const RegisterTraffic& traffic_;
  std::map<int, Temporary> temporaries_;
  uint32_t words_ = 0;
  int open_ = 0;
};

}  // namespace

GlobalRun find_global_run(const ptx::Function& function, size_t first, size_t last,
                          const RegisterTraffic& traffic) {
  if (function.body[first].opcode != "ld") return {};
  GlobalRunFinder finder(traffic);
  size_t length = 0, loads = 0, steps = 0;
  for (size_t i = first; i < last && finder.accept(function.body[i], i); ++i) {
    if (!finder.is_closed()) continue;
    length = i + 1 - first;
    loads = finder.run.loads.size();
    steps = finder.run.steps.size();
  }
  if (steps < kFewestSteps) return {};
  for (const ptx::Operand* base : finder.run.bases) {
    if (base != nullptr && lane_bytes(function.registers[static_cast<size_t>(base->reg)].type) != 8)
      return {};
  }
  GlobalRun run = std::move(finder.run);
  run.length = length;
  run.loads.resize(loads);
  run.steps.resize(steps);
  // A load behind the end may have brought the second base.
  const bool has_second = std::any_of(run.loads.begin(), run.loads.end(),
                                      [](const GlobalRun::Load& load) { return load.base == 1; });
  if (!has_second) run.bases[1] = nullptr;
  return run;
}

}  // namespace vgpu
