#include "program/used_bytes.hpp"

#include <algorithm>
#include <utility>

#include "program/registers.hpp"

namespace vgpu {
namespace {

using ptx::Instruction;
using ptx::Operand;

constexpr uint32_t kAllBytes = ~0u;

uint32_t low_bytes(size_t count) {
  return (1u << count) - 1;
}

bool is_unsigned(ptx::Type type) {
  return type == ptx::Type::B8 || type == ptx::Type::B16 || type == ptx::Type::B32 ||
         type == ptx::Type::B64 || (type >= ptx::Type::U8 && type <= ptx::Type::U64);
}

/// Byte k of a source, one of `bytes`, is in byte k + shift of the result.
struct Passage {
  int source = 0, result = 0;  // registers
  int shift = 0;
  uint32_t bytes = kAllBytes;
};

class Uses {
 public:
  explicit Uses(const ptx::Function& function) : used_(function.registers.size()) {
    for (const Instruction& i : function.body) {
      if (!add_store(i) && !add_move(i) && !add_passages(i)) compute_with(i);
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t k = passages_.size(); k-- > 0;) changed |= follow(passages_[k]);
    }
  }
  std::vector<UsedBytes> take() { return std::move(used_); }

 private:
  UsedBytes& used(int r) { return used_[static_cast<size_t>(r)]; }

  bool follow(const Passage& p) {
    const auto from_result = [&](uint32_t bytes) {
      return (p.shift < 0 ? bytes << -p.shift : bytes >> p.shift) & p.bytes;
    };
    UsedBytes& source = used(p.source);
    const UsedBytes before = source;
    source.computed |= from_result(used(p.result).computed);
    source.stored |= from_result(used(p.result).stored);
    return source.computed != before.computed || source.stored != before.stored;
  }

  void compute_with(const Operand& operand) {
    if (operand.reg >= 0) used(operand.reg).computed = kAllBytes;
    if (operand.pair >= 0) used(operand.pair).computed = kAllBytes;
    for (const Operand& element : operand.elements) compute_with(element);
  }
  void compute_with(const Instruction& i) {
    for (size_t k = has_destination(i) ? 1 : 0; k < i.operands.size(); ++k)
      compute_with(i.operands[k]);
  }

  void pass(const Operand& source, const Operand& result, int shift, uint32_t bytes) {
    if (source.kind == Operand::Kind::Register && result.kind == Operand::Kind::Register)
      passages_.push_back({source.reg, result.reg, shift, bytes});
  }

  // Arguments of calls are stored too, but who gets them may compute with them.
  bool add_store(const Instruction& i) {
    if (i.opcode != "st" || i.operands.size() != 2 || i.modifiers.empty()) return false;
    if (i.modifiers.front().starts_with("param")) return false;
    const uint32_t bytes = low_bytes(ptx::size_of(ptx::type_from_name(i.modifiers.back())));
    compute_with(i.operands[0]);
    const Operand& data = i.operands[1];
    if (data.kind == Operand::Kind::Register) used(data.reg).stored |= bytes;
    for (const Operand& element : data.elements) {
      if (element.kind == Operand::Kind::Register) used(element.reg).stored |= bytes;
    }
    return true;
  }

  bool add_move(const Instruction& i) {
    if (i.opcode != "mov" || i.operands.size() != 2 || i.modifiers.empty()) return false;
    const Operand &result = i.operands[0], &source = i.operands[1];
    pass(source, result, 0, kAllBytes);
    const size_t parts = std::max(source.elements.size(), result.elements.size());
    if (parts == 0) return true;
    if (!source.elements.empty() && !result.elements.empty()) return false;
    const size_t part = ptx::size_of(ptx::type_from_name(i.modifiers.back())) / parts;
    for (size_t k = 0; k < parts; ++k) {
      const int at = static_cast<int>(k * part);
      if (source.elements.empty())
        pass(source, result.elements[k], -at, low_bytes(part) << at);
      else
        pass(source.elements[k], result, at, low_bytes(part));
    }
    return true;
  }

  bool add_passages(const Instruction& i) {
    if (i.operands.size() < 2 || i.modifiers.empty()) return false;
    const Operand &result = i.operands[0], &a = i.operands[1];
    const Operand& b = i.operands.back();
    const ptx::Type type = ptx::type_from_name(i.modifiers.back());
    const bool by_constant = b.kind == Operand::Kind::Integer && a.kind == Operand::Kind::Register;
    if (i.opcode == "cvt" && i.modifiers.size() == 2) {
      const ptx::Type to = ptx::type_from_name(i.modifiers.front());
      const size_t kept = std::min(ptx::size_of(to), ptx::size_of(type));
      if (!is_unsigned(to) || !is_unsigned(type)) return false;  // a sign fills the bytes above it
      pass(a, result, 0, low_bytes(kept));
    } else if (i.opcode == "and" && by_constant) {
      uint32_t bytes = 0;
      for (uint32_t k = 0; k < 8; ++k) bytes |= (b.bits >> 8 * k & 0xFF) != 0 ? 1u << k : 0;
      pass(a, result, 0, bytes);
    } else if ((i.opcode == "shl" || (i.opcode == "shr" && is_unsigned(type))) && by_constant) {
      const int whole = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(b.bits) / 8, 8));
      const int direction = i.opcode == "shl" ? 1 : -1;
      pass(a, result, direction * whole, low_bytes(8));
      if (b.bits % 8 != 0) pass(a, result, direction * (whole + 1), low_bytes(8));
    } else if (i.opcode == "selp" && i.operands.size() == 4) {
      pass(a, result, 0, kAllBytes);
      pass(i.operands[2], result, 0, kAllBytes);
    } else if (i.opcode == "shfl") {
      pass(a, result, 0, kAllBytes);
      for (size_t k = 2; k < i.operands.size(); ++k) compute_with(i.operands[k]);
    } else {
      return false;
    }
    return true;
  }

  std::vector<UsedBytes> used_;
  std::vector<Passage> passages_;
};

}  // namespace

std::vector<UsedBytes> used_bytes(const ptx::Function& function) {
  return Uses(function).take();
}

UsedBytes used_of_load(const Operand& data, ptx::Type type,
                       const std::vector<UsedBytes>& registers) {
  const size_t bytes = ptx::size_of(type);
  const uint32_t all = low_bytes(bytes);
  UsedBytes of_load;
  const auto add = [&](const Operand& to, size_t at) {
    if (to.kind != Operand::Kind::Register) return;
    UsedBytes used = registers[static_cast<size_t>(to.reg)];
    if (!is_unsigned(type)) used.computed = (used.computed | used.stored) != 0 ? all : 0;
    of_load.computed |= (used.computed & all) << at;
    of_load.stored |= (used.stored & all) << at;
  };
  add(data, 0);
  for (size_t k = 0; k < data.elements.size(); ++k) add(data.elements[k], k * bytes);
  return of_load;
}

}  // namespace vgpu
