// Branches, barriers, calls and warp-wide operations.
#include <algorithm>

#include "machine/warp.hpp"
#include "program/decoder.hpp"

namespace vgpu {
namespace {

constexpr size_t kMostParamBytes = 32764;  // as ptxas
constexpr uint32_t kRowBytes = 128;        // one 4-byte word of all lanes (isa/control.cpp, calls)

}  // namespace

bool Decoder::decode_control(const Instruction& i) {
  const isa::Builtins& builtins = isa::builtins();
  const std::string& name = i.opcode;
  if (name == "bra")
    decode_branch(i);
  else if (name == "brx")
    decode_table_branch(i);
  else if (name == "ret" || name == "exit")
    decode_return(i);
  else if (name == "call")
    decode_call(i);
  else if (name == "bar" || name == "barrier")
    decode_barrier(i);
  else if (name == "shfl")
    decode_shuffle(i);
  else if (name == "vote")
    decode_vote(i);
  else if (name == "match")
    decode_match(i);
  else if (name == "redux")
    translate_by_form(i);
  else if (name == "activemask") {
    set_kind(InstructionClass::Warp);
    const uint32_t d = destination(i.operands.at(0), 4);
    emit(builtins.active_mask).d = d;
  } else if (name == "trap" || name == "brkpt") {
    set_kind(InstructionClass::Control);
    emit(builtins.trap);
  } else if (name == "membar" || name == "fence") {
    set_kind(InstructionClass::Barrier);
    emit(builtins.fence);
  } else if (name == "nanosleep" || name == "pmevent" || name == "griddepcontrol") {
    set_kind(InstructionClass::Control);
    emit(builtins.nop);
  } else {
    return false;
  }
  return true;
}

void Decoder::decode_branch(const Instruction& i) {
  set_kind(InstructionClass::Control);
  const FlowBlock& flow = graph_.blocks[block_];
  const auto op_index = static_cast<uint32_t>(code_.ops.size());
  // A label behind the last instruction is the end of the function.
  const int target = i.operands.at(0).kind == Operand::Kind::Label
                         ? graph_.block_at(function_.labels.at(i.operands[0].name))
                         : throw Untranslatable(i.mnemonic());
  jumps_.push_back({op_index, target, Jump::Field::Imm});
  if (i.guard < 0) {
    emit(isa::builtins().jump);
    return;
  }
  if (flow.meets_at != kNoBlock)
    jumps_.push_back({op_index, flow.meets_at, Jump::Field::Extra});
  else if (!function_.is_entry)
    jumps_.push_back({op_index, kNoBlock, Jump::Field::Extra});
  Op& op = emit(isa::builtins().branch);
  op.a = slots_.offset[static_cast<size_t>(i.guard)];
  op.b = i.guard_negated ? ~0u : 0;
}

void Decoder::decode_table_branch(const Instruction& i) {
  set_kind(InstructionClass::Control);
  const auto table = function_.branch_targets.find(i.operands.at(1).name);
  if (table == function_.branch_targets.end() || i.guard >= 0) throw Untranslatable(i.mnemonic());
  const uint32_t index = source(i.operands[0], 4);
  const uint32_t start = list(std::vector<uint32_t>(table->second.size()));
  const auto op_index = static_cast<uint32_t>(code_.ops.size());
  for (uint32_t k = 0; k < table->second.size(); ++k) {
    const int target = graph_.block_at(function_.labels.at(table->second[k]));
    jumps_.push_back({op_index, target, Jump::Field::List, start + k});
  }
  const int meets_at = graph_.blocks[block_].meets_at;
  if (meets_at != kNoBlock || !function_.is_entry)
    jumps_.push_back({op_index, meets_at, Jump::Field::Imm});
  Op& op = emit(isa::builtins().branch_table);
  op.a = index;
  op.c = static_cast<uint32_t>(table->second.size());
  op.extra = start;
}

void Decoder::decode_return(const Instruction& i) {
  const isa::Builtins& builtins = isa::builtins();
  set_kind(InstructionClass::Control);
  if (!function_.is_entry && i.opcode == "ret") {
    // A device function returns in one place, where its paths meet.
    const auto op_index = static_cast<uint32_t>(code_.ops.size());
    jumps_.push_back({op_index, kNoBlock, Jump::Field::Imm});
    if (i.guard < 0) {
      emit(builtins.jump);
      return;
    }
    jumps_.push_back({op_index, kNoBlock, Jump::Field::Extra});
  }
  Op& op = emit(i.guard < 0                                ? builtins.exit
                : !function_.is_entry && i.opcode == "ret" ? builtins.branch
                                                           : builtins.guarded_exit);
  if (i.guard < 0) return;
  op.a = slots_.offset[static_cast<size_t>(i.guard)];
  op.b = i.guard_negated ? ~0u : 0;
}

// bar[rier]{.cta}.sync|arrive|red{.op}{.aligned} ..., and bar.warp.sync.
void Decoder::decode_barrier(const Instruction& i) {
  const isa::Builtins& builtins = isa::builtins();
  set_kind(InstructionClass::Barrier);
  if (i.has("warp")) {
    const uint32_t members = source(i.operands.at(0), 4);
    Op& op = emit(builtins.warp_barrier);
    op.a = members;
    op.extra = kNoExchange;
    return;
  }
  if (i.has("cluster")) throw Untranslatable(i.mnemonic());
  int64_t flags = 0;
  if (i.has("arrive")) flags |= isa::kBarrierArrivesOnly;
  const bool reduces = i.has("red");
  if (reduces)
    flags |= i.has("popc") ? isa::kBarrierPopc : i.has("and") ? isa::kBarrierAnd : isa::kBarrierOr;
  const size_t first = reduces ? 1 : 0;
  const size_t last = i.operands.size() - (reduces ? 1 : 0);  // the predicate comes last
  const uint32_t id = source(i.operands.at(first), 4);
  const uint32_t threads = first + 1 < last ? source(i.operands[first + 1], 4) : isa::kNone;
  Op& op = emit(builtins.barrier);
  op.a = id;
  op.b = threads;
  op.imm = flags;
  if (!reduces) return;
  op.c = predicate(i.operands.back());
  op.extra = i.operands.back().negated ? ~0u : 0;
  const uint32_t d = destination(i.operands[0], i.has("popc") ? 4 : 0);
  Op& result = emit(builtins.barrier_result);
  result.d = d;
  result.imm = flags;
}

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
  if (callee == nullptr || callee->kind == Operand::Kind::Register)
    throw Untranslatable("call through a pointer");
  const ptx::Function* function = module_.find_function(callee->name);
  const auto known = symbols_.code.find(callee->name);
  if (function == nullptr || function->is_declaration || known == symbols_.code.end()) {
    static const Operand kEmpty;
    return decode_system_call(i, callee->name, arguments == nullptr ? kEmpty : *arguments, results);
  }
  std::vector<uint32_t> words{static_cast<uint32_t>(code_index_)};
  // The callee's rows lie at the start of its frame in the order of declaration (Decoder::decode).
  const auto pass = [&](const Operand* list_operand, const std::vector<ptx::Variable>& formal,
                        uint32_t callee_offset, bool returns) {
    const size_t count = list_operand == nullptr ? 0 : list_operand->elements.size();
    if (count != formal.size())
      throw Untranslatable("call of `" + callee->name + "` with " + std::to_string(count) +
                           " values");
    words.push_back(static_cast<uint32_t>(count));
    for (size_t k = 0; k < count; ++k) {
      const ptx::Variable* actual = param_variable(list_operand->elements[k].name);
      if (actual == nullptr || actual->size() != formal[k].size())
        throw Untranslatable("call of `" + callee->name + "`");
      const uint32_t here = rows(*actual);
      words.push_back(returns ? callee_offset : here);
      words.push_back(returns ? here : callee_offset);
      words.push_back(static_cast<uint32_t>(formal[k].size()));
      callee_offset += static_cast<uint32_t>((formal[k].size() + 3) / 4) * kRowBytes;
    }
    return callee_offset;
  };
  const uint32_t after = pass(arguments, function->params, 0, false);
  pass(results, function->returns, after, true);
  const uint32_t extra = list(words);
  Op& op = emit(isa::builtins().call);
  op.imm = known->second;
  op.extra = extra;
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
  if (callee == "vprintf") {
    const uint32_t format = argument(0, 8, 10), values = argument(1, 8, 11),
                   written = scratch(4, 12);
    Op& op = emit(isa::builtins().print);
    op.a = format;
    op.b = values;
    op.d = written;
    if (results == nullptr || results->elements.empty()) return;
    const ptx::Variable* variable = param_variable(results->elements[0].name);
    if (variable == nullptr || variable->size() < sizeof(uint32_t))
      throw Untranslatable(i.mnemonic());
    const uint32_t to = rows(*variable);
    isa::MemoryForm f;
    f.space = isa::MemorySpace::FunctionParam;
    Op& store = emit(isa::store(f));
    store.d = written;
    store.a = to;
    store.c = 1;
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

// shfl.sync.MODE.b32 d[|p], a, b, c, members
void Decoder::decode_shuffle(const Instruction& i) {
  const isa::Form& f = form(i.mnemonic());
  set_kind(f.kind);
  const Operand& d = i.operands.at(0);
  const uint32_t members = source(i.operands.at(4), 4);
  const uint32_t in_range = second_predicate(d);
  const uint32_t extra = list({members, in_range});
  const uint32_t a = source(i.operands.at(1), 4), b = source(i.operands.at(2), 4),
                 c = source(i.operands.at(3), 4);
  const uint32_t to = d.kind == Operand::Kind::Sink ? scratch(4, 7) : destination(d, 4);
  Op& op = emit(f.run);
  op.d = to;
  op.a = a;
  op.b = b;
  op.c = c;
  op.extra = extra;
}

// vote.sync.MODE.TYPE d, [!]p, members
void Decoder::decode_vote(const Instruction& i) {
  const isa::Form& f = form(i.mnemonic());
  set_kind(f.kind);
  const uint32_t members = source(i.operands.at(2), 4),
                 d = destination(i.operands.at(0), i.has("ballot") ? 4 : 0);
  Op& op = emit(f.run);
  op.d = d;
  op.a = predicate(i.operands.at(1));
  op.b = i.operands[1].negated ? ~0u : 0;
  op.c = members;
}

// match.any|all.sync.TYPE d[|p], a, members
void Decoder::decode_match(const Instruction& i) {
  const isa::Form& f = form(i.mnemonic());
  set_kind(f.kind);
  const auto width = static_cast<uint32_t>(ptx::size_of(ptx::type_from_name(i.modifiers.back())));
  const Operand& d = i.operands.at(0);
  const uint32_t a = source(i.operands.at(1), width), members = source(i.operands.at(2), 4);
  const uint32_t to = d.kind == Operand::Kind::Sink ? scratch(4, 7) : destination(d, 4);
  Op& op = emit(f.run);
  op.d = to;
  op.a = a;
  op.b = members;
  op.c = second_predicate(d);
}

}  // namespace vgpu
