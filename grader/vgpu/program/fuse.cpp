#include "program/fuse.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "program/registers.hpp"

namespace vgpu {
namespace {

using ptx::Instruction;
using ptx::Operand;

constexpr size_t kFewestSteps = 4;  // below this the operation costs more than it saves

bool same_base(const Operand& a, const Operand& b) {
  return a.reg == b.reg && a.name == b.name;
}

class RunFinder {
 public:
  explicit RunFinder(const RegisterTraffic& traffic) : traffic_(traffic) {}

  /// False when `i` ends the run.
  bool accept(const Instruction& i) {
    if (i.guard >= 0) return false;
    if (i.opcode == "ld") return accept_load(i);
    const std::string mnemonic = i.mnemonic();
    const bool is_product = mnemonic == "mul.f32" || mnemonic == "mul.rn.f32";
    if (i.operands.size() != (is_product ? 3 : 4)) return false;
    if (is_product) return accept_product(i);
    return mnemonic == "fma.rn.f32" && accept_fma(i);
  }

  /// True when everything loaded so far has been used up.
  bool is_closed() const { return open_ == 0; }

  FusibleRun run;

 private:
  bool is_register(const Operand& operand) const { return traffic_.is_word(operand); }

  struct Temporary {
    int64_t offset = 0;
    int factor = -1;  // register that the loaded value was multiplied with, or -1
    uint32_t uses_left = 0;
  };

  bool define(const Operand& target, int64_t offset, int factor) {
    if (!is_register(target)) return false;
    const auto r = static_cast<size_t>(target.reg);
    if (traffic_.writes[r] != 1 || traffic_.reads[r] == 0) return false;
    temporaries_[target.reg] = {offset, factor, traffic_.reads[r]};
    ++open_;
    return true;
  }

  const Temporary* temporary(const Operand& operand) const {
    const auto found = temporaries_.find(operand.reg);
    return found == temporaries_.end() ? nullptr : &found->second;
  }

  void use(const Operand& operand) {
    if (--temporaries_.at(operand.reg).uses_left == 0) --open_;
  }

  bool accept_load(const Instruction& i) {
    const auto& m = i.modifiers;
    const bool plain = m.size() == 2 && m[0] == "shared",
               vector = m.size() == 3 && m[0] == "shared" && (m[1] == "v2" || m[1] == "v4");
    if ((!plain && !vector) || (m.back() != "f32" && m.back() != "b32")) return false;
    if (i.operands.size() != 2) return false;
    const Operand& where = i.operands[1];
    if (where.kind != Operand::Kind::Address ||
        where.bits % static_cast<int64_t>(vector ? (m[1] == "v2" ? 8 : 16) : 4) != 0 ||
        where.bits != std::clamp(where.bits, -kFarthestOffset, kFarthestOffset))
      return false;
    if (run.base != nullptr && !same_base(*run.base, where)) return false;
    run.base = &where;
    if (!vector) return define(i.operands[0], where.bits, -1);
    int64_t offset = where.bits;
    if (i.operands[0].elements.size() != (m[1] == "v2" ? 2 : 4)) return false;
    for (const Operand& element : i.operands[0].elements) {
      if (!define(element, offset, -1)) return false;
      offset += 4;
    }
    return true;
  }

  // Which of two factors is a loaded value, the other being an ordinary register: 0, 1, or -1.
  int loaded_factor(const Operand& a, const Operand& b) const {
    if (!is_register(a) || !is_register(b)) return -1;
    const Temporary* left = temporary(a);
    const Temporary* right = temporary(b);
    if ((left == nullptr) == (right == nullptr)) return -1;
    const Temporary* loaded = left != nullptr ? left : right;
    return loaded->factor >= 0 ? -1 : left != nullptr ? 0 : 1;
  }

  bool accept_product(const Instruction& i) {
    const int loaded = loaded_factor(i.operands[1], i.operands[2]);
    if (loaded < 0) return false;
    const Operand& value = i.operands[loaded == 0 ? 1 : 2];
    const Operand& other = i.operands[loaded == 0 ? 2 : 1];
    const int64_t offset = temporary(value)->offset;
    if (is_register(i.operands[0]) && traffic_.reads[static_cast<size_t>(i.operands[0].reg)] != 1)
      return false;
    if (!define(i.operands[0], offset, other.reg)) return false;
    use(value);
    return true;
  }

  bool accept_fma(const Instruction& i) {
    const Operand &d = i.operands[0], &a = i.operands[1], &b = i.operands[2], &c = i.operands[3];
    if (!is_register(d) || !is_register(c)) return false;
    FusibleRun::Step step;
    step.d = d.reg;
    const Temporary* addend = temporary(c);
    if (addend != nullptr) {
      if (addend->factor < 0 || !is_register(a) || !is_register(b) || temporary(a) != nullptr ||
          temporary(b) != nullptr)
        return false;
      step.offset = addend->offset;
      step.x = addend->factor;
      // The accumulator is the factor that the result replaces.
      step.y = d.reg == a.reg ? b.reg : a.reg;
      step.c = d.reg == a.reg ? a.reg : b.reg;
      use(c);
    } else {
      const int loaded = loaded_factor(a, b);
      if (loaded < 0) return false;
      const Operand& value = loaded == 0 ? a : b;
      step.offset = temporary(value)->offset;
      step.x = (loaded == 0 ? b : a).reg;
      step.c = c.reg;
      use(value);
    }
    run.steps.push_back(step);
    return true;
  }

  const RegisterTraffic& traffic_;
  std::map<int, Temporary> temporaries_;
  int open_ = 0;
};

}  // namespace

RegisterTraffic::RegisterTraffic(const ptx::Function& function)
    : writes(function.registers.size()), reads(function.registers.size()) {
  for (const ptx::Register& r : function.registers) is_word_.push_back(lane_bytes(r.type) == 4);
  for (const Instruction& i : function.body) {
    const RegisterUse use = register_use(i);
    for (const int r : use.writes) ++writes[static_cast<size_t>(r)];
    for (const int r : use.reads) ++reads[static_cast<size_t>(r)];
  }
}

bool RegisterTraffic::is_word(const Operand& operand) const {
  return operand.kind == Operand::Kind::Register && operand.pair < 0 &&
         is_word_[static_cast<size_t>(operand.reg)];
}

FusibleRun find_run(const ptx::Function& function, size_t first, size_t last,
                    const RegisterTraffic& traffic) {
  if (function.body[first].opcode != "ld") return {};
  RunFinder finder(traffic);
  FusibleRun best;
  size_t steps = 0;
  for (size_t i = first; i < last && finder.accept(function.body[i]); ++i) {
    if (!finder.is_closed()) continue;
    best.length = i + 1 - first;
    steps = finder.run.steps.size();
  }
  if (steps < kFewestSteps) return {};
  best.base = finder.run.base;
  best.steps.assign(finder.run.steps.begin(),
                    finder.run.steps.begin() + static_cast<std::ptrdiff_t>(steps));
  return best;
}

std::vector<uint32_t> spans_of(const FusibleRun& run) {
  std::set<int64_t> offsets;
  for (const FusibleRun::Step& step : run.steps) offsets.insert(step.offset);
  std::vector<uint32_t> words{0};
  int64_t end = *offsets.begin() - 1;
  for (const int64_t offset : offsets) {
    if (offset == end) {
      words.back() += sizeof(float);
    } else {
      words.insert(words.end(), {static_cast<uint32_t>(offset), sizeof(float)});
      ++words[0];
    }
    end = offset + static_cast<int64_t>(sizeof(float));
  }
  return words;
}

}  // namespace vgpu
