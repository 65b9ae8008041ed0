// Calls: of device functions, by name and through pointers, of what the toolkit's device library
// leaves to the system, and the memory that belongs to a call (alloca).
#include <bit>

#include "machine/warp.hpp"
#include "program/decoder.hpp"

namespace vgpu {
namespace {

constexpr size_t kMostParamBytes = 32764;  // as ptxas
constexpr uint32_t kRowBytes = 128;        // one 4-byte word of all lanes (isa/control.cpp, calls)

}  // namespace

// A parameter or result of a device function, and the scratch space that a caller declares for it:
// rows of words.
uint32_t Decoder::rows(const ptx::Variable& variable) {
  if (variable.size() > kMostParamBytes)
    throw ProgramError("`" + variable.name + "` is too large for a parameter");
  const auto [entry, is_new] = rows_.try_emplace(variable.name, 0);
  if (is_new) {
    code_.frame.bytes = (code_.frame.bytes + kRowBytes - 1) / kRowBytes * kRowBytes;
    entry->second = code_.frame.bytes;
    code_.frame.bytes += static_cast<uint32_t>((variable.size() + 3) / 4) * kRowBytes;
  }
  return entry->second;
}

// The operand list of a call: the caller's code, and where values go from and to. The callee's rows
// lie at the start of its frame in the order of declaration (Decoder::decode).
uint32_t Decoder::pass_values(const ptx::Function& callee, const Operand* arguments,
                              const Operand* results) {
  std::vector<uint32_t> words{static_cast<uint32_t>(code_index_)};
  const auto pass = [&](const Operand* list_operand, const std::vector<ptx::Variable>& formal,
                        uint32_t callee_offset, bool returns) {
    const size_t count = list_operand == nullptr ? 0 : list_operand->elements.size();
    if (count != formal.size())
      throw Untranslatable("call of `" + callee.name + "` with " + std::to_string(count) +
                           " values");
    words.push_back(static_cast<uint32_t>(count));
    for (size_t k = 0; k < count; ++k) {
      const ptx::Variable* actual = param_variable(list_operand->elements[k].name);
      if (actual == nullptr || actual->size() != formal[k].size())
        throw Untranslatable("call of `" + callee.name + "`");
      const uint32_t here = rows(*actual);
      words.push_back(returns ? callee_offset : here);
      words.push_back(returns ? here : callee_offset);
      words.push_back(static_cast<uint32_t>(formal[k].size()));
      callee_offset += static_cast<uint32_t>((formal[k].size() + 3) / 4) * kRowBytes;
    }
    return callee_offset;
  };
  const uint32_t after = pass(arguments, callee.params, 0, false);
  pass(results, callee.returns, after, true);
  return list(words);
}

// call[.uni] (results), function, (arguments): results and arguments name .param variables of the
// caller.
void Decoder::decode_call(const Instruction& i) {
  set_kind(InstructionClass::Control);
  const Operand* results = nullptr;
  const Operand* arguments = nullptr;
  const Operand* callee = nullptr;
  for (const Operand& operand : i.operands) {
    if (operand.kind != Operand::Kind::List && callee == nullptr)
      callee = &operand;
    else if (operand.kind == Operand::Kind::List)
      (callee == nullptr ? results : arguments) = &operand;
  }
  if (callee == nullptr) throw Untranslatable(i.mnemonic());
  if (callee->kind == Operand::Kind::Register)
    return decode_pointer_call(i, *callee, arguments, results);
  const ptx::Function* function = module_.find_function(callee->name);
  const auto known = symbols_.code.find(function == nullptr ? callee->name : function->name);
  if (function == nullptr || function->is_declaration || known == symbols_.code.end()) {
    static const Operand kEmpty;
    return decode_system_call(i, callee->name, arguments == nullptr ? kEmpty : *arguments, results);
  }
  const uint32_t extra = pass_values(*function, arguments, results);
  Op& op = emit(isa::builtins().call);
  op.imm = known->second;
  op.extra = extra;
}

// call (results), register, (arguments), prototype;
void Decoder::decode_pointer_call(const Instruction& i, const Operand& callee,
                                  const Operand* arguments, const Operand* results) {
  const auto prototype = function_.call_prototypes.find(i.operands.back().name);
  if (prototype == function_.call_prototypes.end() || i.guard >= 0)
    throw Untranslatable("call through a pointer without a prototype, or under a guard");
  const uint32_t pointer = source(callee, 8),
                 extra = pass_values(prototype->second, arguments, results);
  Op& op = emit(isa::builtins().call_pointer);
  op.a = pointer;
  op.extra = extra;
  Op& meeting = emit(isa::builtins().enter_meeting);
  meeting.imm = static_cast<int64_t>(kernel_.blocks.size());
  kernel_.blocks.push_back({site_, 0});
}

// alloca.u64 address, bytes[, alignment]; stacksave.u64 top; stackrestore.u64 top;
bool Decoder::decode_stack(const Instruction& i) {
  const isa::Builtins& builtins = isa::builtins();
  if (i.opcode == "alloca") {
    const auto alignment = i.operands.size() > 2 ? static_cast<uint64_t>(i.operands[2].bits) : 8;
    if (!std::has_single_bit(alignment)) return false;
    set_kind(InstructionClass::Integer);
    const uint32_t bytes = source(i.operands.at(1), 8), d = destination(i.operands.at(0), 8);
    Op& op = emit(builtins.stack_allocate);
    op.a = bytes;
    op.d = d;
    op.imm = static_cast<int64_t>(alignment);
  } else if (i.opcode == "stacksave") {
    set_kind(InstructionClass::Move);
    const uint32_t d = destination(i.operands.at(0), 8);
    emit(builtins.stack_save).d = d;
  } else if (i.opcode == "stackrestore") {
    set_kind(InstructionClass::Move);
    const uint32_t a = source(i.operands.at(0), 8);
    emit(builtins.stack_restore).a = a;
  } else {
    return false;
  }
  return true;
}

void Decoder::decode_system_call(const Instruction& i, const std::string& callee,
                                 const Operand& arguments, const Operand* results) {
  const auto argument = [&](size_t k, uint32_t bytes, int which) {
    const ptx::Variable* variable = param_variable(arguments.elements.at(k).name);
    if (variable == nullptr || variable->size() < bytes)
      throw Untranslatable("call of `" + callee + "`");
    isa::MemoryForm f;
    f.space = isa::MemorySpace::FunctionParam;
    f.bytes = f.register_bytes = bytes;
    const uint32_t d = scratch(bytes, which), from = rows(*variable);
    Op& op = emit(isa::load(f));
    op.d = d;
    op.a = from;
    op.c = 1;
    return d;
  };
  const auto give_result = [&](uint32_t from, uint32_t bytes) {
    if (results == nullptr || results->elements.empty()) return;
    const ptx::Variable* variable = param_variable(results->elements[0].name);
    if (variable == nullptr || variable->size() < bytes) throw Untranslatable(i.mnemonic());
    isa::MemoryForm f;
    f.space = isa::MemorySpace::FunctionParam;
    f.bytes = f.register_bytes = bytes;
    const uint32_t to = rows(*variable);
    Op& store = emit(isa::store(f));
    store.d = from;
    store.a = to;
    store.c = 1;
  };
  if (callee == "vprintf") {
    const uint32_t format = argument(0, 8, 10), values = argument(1, 8, 11),
                   written = scratch(4, 12);
    Op& op = emit(isa::builtins().print);
    op.a = format;
    op.b = values;
    op.d = written;
    give_result(written, 4);
  } else if (callee == "malloc" || callee == "free") {
    const uint32_t value = argument(0, 8, 10);
    const bool allocates = callee == "malloc";
    const uint32_t address = allocates ? scratch(8, 12) : 0;
    Op& op = emit(allocates ? isa::builtins().heap_allocate : isa::builtins().heap_free);
    op.a = value;
    op.d = address;
    kernel_.uses_heap = true;
    if (allocates) give_result(address, 8);
  } else if (callee == "__assertfail") {
    const uint32_t message = argument(0, 8, 10), file = argument(1, 8, 11),
                   line = argument(2, 4, 12);
    const uint32_t function = argument(3, 8, 13);
    Op& op = emit(isa::builtins().assert_fail);
    op.a = message;
    op.b = file;
    op.c = line;
    op.d = function;
  } else {
    throw Untranslatable("call of `" + callee + "`");
  }
}

}  // namespace vgpu
