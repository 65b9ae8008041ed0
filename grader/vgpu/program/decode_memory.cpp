// Memory instructions, moves and address arithmetic.
#include <algorithm>

#include "machine/warp.hpp"
#include "program/decoder.hpp"

namespace vgpu {
namespace {

using isa::MemorySpace;

// Words that change neither the result nor the counts: ordering is sequential here, caches are not
// modelled.
bool is_hint(std::string_view word) {
  static const std::set<std::string_view> kHints = {
      "nc",  "volatile", "relaxed", "acquire", "release", "acq_rel", "weak",
      "gpu", "cta",      "sys",     "cluster", "ca",      "cg",      "cs",
      "lu",  "cv",       "wb",      "wt",      "noftz",   "mmio",    "unified"};
  return kHints.count(word) != 0 || word.starts_with("L1::") || word.starts_with("L2::");
}

/// A load that looks at memory itself, as one in a loop that waits for a flag must.
bool asks_memory(const ptx::Instruction& i) {
  static const std::set<std::string_view> kStrong = {"volatile", "relaxed", "acquire",
                                                     "mmio",     "cg",      "cv"};
  return std::any_of(i.modifiers.begin(), i.modifiers.end(),
                     [](const std::string& word) { return kStrong.count(word) != 0; });
}

bool is_space(std::string_view word) {
  return word == "global" || word == "shared" || word == "shared::cta" || word == "local" ||
         word == "const" || word == "param" || word == "param::entry" || word == "param::func";
}

uint32_t vector_length(std::string_view word) {
  return word == "v2" ? 2 : word == "v4" ? 4 : word == "v8" ? 8 : 1;
}

MemorySpace memory_space(ptx::Space space) {
  switch (space) {
    case ptx::Space::Global:
      return MemorySpace::Global;
    case ptx::Space::Shared:
      return MemorySpace::Shared;
    case ptx::Space::Local:
      return MemorySpace::Local;
    case ptx::Space::Const:
      return MemorySpace::Constant;
    default:
      return MemorySpace::Generic;
  }
}

bool is_signed(ptx::Type type) {
  return type == ptx::Type::S8 || type == ptx::Type::S16 || type == ptx::Type::S32 ||
         type == ptx::Type::S64;
}

InstructionClass access_class(MemorySpace space, bool is_store) {
  switch (space) {
    case MemorySpace::Shared:
      return is_store ? InstructionClass::StoreShared : InstructionClass::LoadShared;
    case MemorySpace::Local:
      return is_store ? InstructionClass::StoreLocal : InstructionClass::LoadLocal;
    case MemorySpace::Constant:
    case MemorySpace::FunctionParam:
      return InstructionClass::LoadOther;
    default:
      return is_store ? InstructionClass::StoreGlobal : InstructionClass::LoadGlobal;
  }
}

}  // namespace

bool Decoder::decode_memory(const Instruction& i) {
  if (i.opcode == "ld" || i.opcode == "ldu")
    decode_load(i);
  else if (i.opcode == "st")
    decode_store(i);
  else if (i.opcode == "atom" || i.opcode == "red")
    decode_atomic(i, i.opcode == "atom");
  else if (i.opcode == "mov")
    decode_move(i);
  else if (i.opcode == "cvta")
    decode_cvta(i);
  else if (i.opcode == "isspacep")
    decode_isspacep(i);
  else if (i.opcode == "prefetch" || i.opcode == "prefetchu" || i.opcode == "discard" ||
           i.opcode == "applypriority")
    emit(isa::builtins().nop);
  else
    return false;
  return true;
}

// What the checks want to know of a memory instruction of `bytes` bytes per lane.
void Decoder::note_access(const Instruction& i, uint32_t bytes) {
  const ptx::Space space = space_of(i);
  const bool generic = space == ptx::Space::None;
  if (generic || space == ptx::Space::Shared)
    kernel_.shared_cell = std::min(kernel_.shared_cell, bytes);
  if (generic || space == ptx::Space::Global)
    kernel_.global_cell = std::min(kernel_.global_cell, bytes);
  Strength& strength = kernel_.sites[site_].strength;
  if (i.has("release") || i.has("acq_rel"))
    strength = Strength::Releasing;
  else if (i.has("volatile") || i.has("relaxed") || i.has("acquire") || i.has("mmio"))
    strength = i.opcode == "atom" || i.opcode == "red" ? Strength::Weak : Strength::Strong;
}

ptx::Space Decoder::space_of(const Instruction& i) {
  for (const std::string& word : i.modifiers) {
    if (word == "global") return ptx::Space::Global;
    if (word == "shared" || word == "shared::cta") return ptx::Space::Shared;
    if (word == "local") return ptx::Space::Local;
    if (word == "const") return ptx::Space::Const;
    if (word.starts_with("param")) return ptx::Space::Param;
  }
  return ptx::Space::None;
}

const ptx::Variable* Decoder::param_variable(std::string_view name, size_t* index) const {
  const auto search = [&](const std::vector<ptx::Variable>& list) -> const ptx::Variable* {
    for (size_t k = 0; k < list.size(); ++k) {
      if (list[k].name != name) continue;
      if (index != nullptr) *index = k;
      return &list[k];
    }
    return nullptr;
  };
  if (const auto* found = search(function_.params)) return found;
  if (const auto* found = search(function_.returns)) return found;
  const auto* found = search(function_.variables);
  return found != nullptr && found->space == ptx::Space::Param ? found : nullptr;
}

uint64_t Decoder::symbol_value(const Operand& operand, bool& is_local) {
  const auto addend = static_cast<uint64_t>(operand.bits);
  if (const auto local = local_offsets_.find(operand.name); local != local_offsets_.end()) {
    is_local = true;
    return local->second + addend;
  }
  if (const auto shared = symbols_.shared.find(operand.name); shared != symbols_.shared.end())
    return shared->second + addend;
  if (const auto memory = symbols_.memory.find(operand.name); memory != symbols_.memory.end())
    return memory->second + addend;
  if (const auto function = symbols_.functions.find(operand.name);
      function != symbols_.functions.end())
    return function->second;
  throw Untranslatable("the address of `" + operand.name + "`");
}

Decoder::Address Decoder::address(const Operand& operand, ptx::Space space) {
  if (operand.kind != Operand::Kind::Address)
    throw Untranslatable("an operand that is not an address");
  Address result;
  result.space = memory_space(space);
  result.offset = operand.bits;
  if (operand.reg >= 0) {
    result.base = slots_.offset[static_cast<size_t>(operand.reg)];
    const uint32_t width = register_width(operand);
    if (width != 4 && width != 8) throw Untranslatable("an address of neither 32 nor 64 bits");
    result.wide = width == 8;
    if (width == 4 && result.space != MemorySpace::Shared) {
      Op& op =
          emit(form("cvt.u64.u32").run);  // the other spaces are accessed with 64-bit addresses
      op.a = result.base;
      op.b = 4;
      op.c = 8;
      op.d = 0;
      const uint32_t wide = scratch(8, 4);
      code_.ops.back().d = wide;
      result.base = wide;
      result.wide = true;
    }
    return result;
  }
  if (operand.name.empty()) {
    result.base = constant(static_cast<uint64_t>(operand.bits), 8);
    result.offset = 0;
    return result;
  }
  Operand symbol = operand;
  symbol.bits = 0;
  bool is_local = false;
  const uint64_t value = symbol_value(symbol, is_local);
  if (is_local) {
    const uint32_t base = scratch(8, 4);
    Op& op = emit(isa::builtins().local_address);
    op.d = base;
    op.imm = static_cast<int64_t>(value);
    result.base = base;
  } else {
    result.base = constant(value, 8);
  }
  return result;
}

void Decoder::decode_load(const Instruction& i) {
  const Operand& where = i.operands.at(1);
  if (space_of(i) == ptx::Space::Param && where.reg < 0) {
    size_t index = 0;
    const ptx::Variable* variable = param_variable(where.name, &index);
    if (variable == nullptr) throw Untranslatable("the parameter `" + where.name + "`");
    if (function_.is_entry && variable >= function_.params.data() &&
        variable < function_.params.data() + function_.params.size()) {
      return decode_param_load(i, *variable, index);
    }
  }
  decode_access(i, i.operands.at(0), where, false);
}

void Decoder::decode_store(const Instruction& i) {
  decode_access(i, i.operands.at(1), i.operands.at(0), true);
}

void Decoder::decode_access(const Instruction& i, const Operand& data, const Operand& where,
                            bool is_store) {
  isa::MemoryForm f;
  ptx::Type type = ptx::Type::None;
  uint32_t elements = 1;
  for (const std::string& word : i.modifiers) {
    if (is_space(word) || is_hint(word)) continue;
    if (vector_length(word) > 1)
      elements = vector_length(word);
    else if (const ptx::Type t = ptx::type_from_name(word); t != ptx::Type::None)
      type = t;
    else
      throw Untranslatable(i.mnemonic());
  }
  f.bytes = static_cast<uint32_t>(ptx::size_of(type));
  f.sign_extend = is_signed(type);
  if (f.bytes * elements > 16) throw Untranslatable(i.mnemonic());
  note_access(i, f.bytes * elements);
  Address at;
  if (space_of(i) == ptx::Space::Param && function_.is_entry && where.reg >= 0) {
    at = address(where, ptx::Space::Const);
  } else if (space_of(i) == ptx::Space::Param) {
    const ptx::Variable* variable = param_variable(where.name);
    if (variable == nullptr || where.reg >= 0)
      throw Untranslatable(i.mnemonic() + " with a computed address");
    if (where.bits < 0 ||
        static_cast<uint64_t>(where.bits) + uint64_t{f.bytes} * elements > variable->size())
      throw Untranslatable(i.mnemonic() + " outside the parameter `" + variable->name + "`");
    at.space = MemorySpace::FunctionParam;
    at.base = rows(*variable);
    at.offset = where.bits;
  } else {
    at = address(where, space_of(i));
  }
  f.space = at.space;
  f.wide_address = at.wide;
  f.whole = elements > 1 && kernel_.sites[site_].strength != Strength::Weak;
  set_kind(access_class(at.space, is_store));

  std::vector<const Operand*> parts;
  if (data.kind == Operand::Kind::Vector) {
    for (const Operand& element : data.elements) parts.push_back(&element);
  } else {
    parts.push_back(&data);
  }
  if (parts.size() != elements)
    throw Untranslatable(i.mnemonic() + " with " + std::to_string(parts.size()) + " registers");
  if (!is_store) {
    const UsedBytes used = used_of_load(data, type, used_);
    kernel_.sites[site_].computed_bytes = static_cast<uint16_t>(used.computed);
    kernel_.sites[site_].stored_bytes = static_cast<uint16_t>(used.stored);
  }
  f.register_bytes = std::max(f.bytes, 2u);
  for (const Operand* part : parts) {
    if (part->kind == Operand::Kind::Register) f.register_bytes = register_width(*part);
  }
  std::vector<uint32_t> registers;
  for (const Operand* part : parts) {
    if (part->kind == Operand::Kind::Sink && elements > 1 && !is_store)
      registers.push_back(isa::kNone);
    else
      registers.push_back(is_store ? source(*part, f.register_bytes)
                                   : destination(*part, f.register_bytes));
  }
  const Handler run = is_store ? isa::store(f) : isa::load(f);
  if (run == nullptr) throw Untranslatable(i.mnemonic());
  if (!is_store && asks_memory(i)) emit(isa::builtins().poll).imm = kPollFuel;
  const uint32_t extra = elements > 1 ? list(registers) : 0;
  Op& op = emit(run);
  op.a = at.base;
  op.imm = at.offset;
  op.c = elements;
  op.d = registers[0];
  op.extra = extra;
}

// A kernel parameter is the same for every thread of the launch: it lies in a slot that is filled
// once.
void Decoder::decode_param_load(const Instruction& i, const ptx::Variable& param, size_t index) {
  const Operand& where = i.operands.at(1);
  const ptx::Type type = ptx::type_from_name(i.modifiers.back());
  const auto bytes = static_cast<uint32_t>(ptx::size_of(type));
  const Operand& data = i.operands.at(0);
  const std::vector<Operand> single{data};
  const std::vector<Operand>& parts = data.kind == Operand::Kind::Vector ? data.elements : single;
  set_kind(InstructionClass::LoadOther);
  for (size_t k = 0; k < parts.size(); ++k) {
    if (parts[k].kind == Operand::Kind::Sink) continue;
    const size_t within = static_cast<size_t>(where.bits) + k * bytes;
    if (bytes == 0 || within > param.size() || bytes > param.size() - within)
      throw Untranslatable("a load outside the parameter `" + param.name + "`");
    Kernel::ParamSlot slot;
    slot.param_offset = static_cast<uint32_t>(kernel_.params.at(index).offset + within);
    if (parts[k].kind != Operand::Kind::Register) throw Untranslatable(i.mnemonic());
    slot.width = register_width(parts[k]);
    slot.loaded = bytes;
    slot.sign_extend = is_signed(type);
    if (slot.width < bytes) throw Untranslatable(i.mnemonic());
    const auto [entry, is_new] =
        params_.try_emplace({slot.param_offset, slot.width, slot.sign_extend, bytes}, 0);
    if (is_new) {
      entry->second = slot.slot = reserve(slot.width);
      kernel_.param_slots.push_back(slot);
    }
    move(destination(parts[k], slot.width), entry->second, slot.width);
  }
}

void Decoder::decode_atomic(const Instruction& i, bool returns) {
  std::string operation;
  std::string type;
  for (const std::string& word : i.modifiers) {
    if (is_space(word) || is_hint(word)) continue;
    if (ptx::type_from_name(word) != ptx::Type::None)
      type = word;
    else if (operation.empty())
      operation = word;
    else
      throw Untranslatable(i.mnemonic());
  }
  const Handler run = isa::atomic(operation, type, returns);
  if (run == nullptr) throw Untranslatable(i.mnemonic());
  note_access(i, static_cast<uint32_t>(ptx::size_of(ptx::type_from_name(type))));
  set_kind(InstructionClass::Atomic);
  const size_t first = returns ? 1 : 0;
  const Address at = address(i.operands.at(first), space_of(i));
  const auto width = static_cast<uint32_t>(ptx::size_of(ptx::type_from_name(type)));
  const uint32_t b = source(i.operands.at(first + 1), width);
  const uint32_t c = operation == "cas" ? source(i.operands.at(first + 2), width) : b;
  uint32_t d = 0;
  if (returns)
    d = i.operands[0].kind == Operand::Kind::Sink ? scratch(width, 5)
                                                  : destination(i.operands[0], width);
  if (returns) emit(isa::builtins().poll).imm = kPollFuel;
  Op& op = emit(run);
  op.a = at.base;
  op.imm = at.offset;
  op.b = b;
  op.c = c;
  op.d = d;
  op.extra = static_cast<uint32_t>(at.space) | (at.wide ? 1u << 8 : 0);
}

void Decoder::decode_move(const Instruction& i) {
  const Operand& to = i.operands.at(0);
  const Operand& from = i.operands.at(1);
  set_kind(InstructionClass::Move);
  if (from.kind == Operand::Kind::Special &&
      (from.name.starts_with("%clock") || from.name.starts_with("%globaltimer"))) {
    Op& op = emit(isa::builtins().clock);
    const bool wide = to.kind == Operand::Kind::Register && register_width(to) == 8;
    op.d = destination(to, wide ? 8 : 4);
    op.imm = wide ? 1 : 0;
    return;
  }
  const bool packs = from.kind == Operand::Kind::Vector, unpacks = to.kind == Operand::Kind::Vector;
  if (!packs && !unpacks) return translate_by_form(i);
  const std::vector<Operand>& parts = packs ? from.elements : to.elements;
  const auto whole = static_cast<uint32_t>(ptx::size_of(ptx::type_from_name(i.modifiers.back())));
  if (parts.empty() || whole % parts.size() != 0) throw Untranslatable(i.mnemonic());
  const auto part = whole / static_cast<uint32_t>(parts.size());
  const std::string name = std::string(packs ? "pack" : "unpack") + ".b" +
                           std::to_string(8 * whole) + ".b" + std::to_string(8 * part);
  const isa::Form& f = form(name);
  const uint32_t width = std::max(part, 2u);  // of a part's register
  std::vector<uint32_t> registers;
  for (const Operand& operand : parts) {
    if (operand.kind == Operand::Kind::Sink)
      registers.push_back(isa::kNone);
    else
      registers.push_back(packs ? source(operand, width) : destination(operand, width));
  }
  const uint32_t value = packs ? destination(to, whole) : source(from, whole);
  const uint32_t extra = list(registers);
  Op& op = emit(f.run);
  (packs ? op.d : op.a) = value;
  op.extra = extra;
}

// Generic addresses of global memory are the addresses themselves; those of shared and local memory
// lie in a window.
void Decoder::decode_cvta(const Instruction& i) {
  const ptx::Space space = space_of(i);
  const bool to_space = i.has("to");
  const Operand& operand = i.operands.at(1);
  set_kind(InstructionClass::Integer);
  const uint32_t from = source(operand, 8);
  uint64_t window = space == ptx::Space::Shared  ? kSharedWindow
                    : space == ptx::Space::Local ? kLocalWindow
                                                 : 0;
  if (space == ptx::Space::Param && !function_.is_entry) throw Untranslatable(i.mnemonic());
  if (to_space) window = ~window + 1;
  const uint32_t offset = constant(window, 8);
  const uint32_t d = destination(i.operands.at(0), 8);
  Op& op = emit(form(window == 0 ? "mov.b64" : "add.u64").run);
  op.d = d;
  op.a = from;
  op.b = offset;
}

// isspacep: which window an address lies in is its highest byte.
void Decoder::decode_isspacep(const Instruction& i) {
  const ptx::Space space = space_of(i);
  const uint64_t window = space == ptx::Space::Shared  ? kSharedWindow >> 56
                          : space == ptx::Space::Local ? kLocalWindow >> 56
                                                       : 0;
  set_kind(InstructionClass::Predicate);
  const uint32_t address_slot = source(i.operands.at(1), 8), top = scratch(8, 6);
  const uint32_t shift = constant(56, 4), wanted = constant(window, 8),
                 p = destination(i.operands.at(0), 0);
  Op& extract = emit(form("shr.u64").run);
  extract.d = top;
  extract.a = address_slot;
  extract.b = shift;
  Op& compare = emit(form("setp.eq.u64").run);
  compare.d = p;
  compare.a = top;
  compare.b = wanted;
}

}  // namespace vgpu
