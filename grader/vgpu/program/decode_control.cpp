// Branches, barriers, calls and warp-wide operations.
#include <algorithm>

#include "machine/warp.hpp"
#include "program/decoder.hpp"

namespace vgpu {
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
  } else if (name == "nanosleep") {
    set_kind(InstructionClass::Control);
    emit(builtins.poll).imm = kFuel;
  } else if (name == "pmevent" || name == "griddepcontrol") {
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
  // Inline assembly also writes vote.MODE.sync.
  const isa::Form& f = form("vote.sync." + i.modifiers.at(i.modifiers.at(0) == "sync" ? 1 : 0) +
                            "." + i.modifiers.back());
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
