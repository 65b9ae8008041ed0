// mbarrier and cp.async.mbarrier: barrier objects in shared memory.
#include "program/decoder.hpp"

namespace vgpu {

// mbarrier.OPERATION[.semantics.scope][.space].b64 [result,] [address][, operand...];
// cp.async.mbarrier.arrive[.noinc] [address].
bool Decoder::decode_mbarrier(const Instruction& i) {
  const isa::BarrierObjectHandlers& handlers = isa::barrier_object();
  const bool of_copies = i.opcode == "cp" && i.has("async") && i.has("mbarrier");
  if (i.opcode != "mbarrier" && !of_copies) return false;
  const std::string& what = of_copies ? i.modifiers.at(2) : i.modifiers.at(0);
  set_kind(of_copies ? InstructionClass::Async : InstructionClass::Barrier);
  if (what == "inval") {
    emit(isa::builtins().nop);
    return true;
  }
  if (what == "pending_count") {
    const uint32_t d = destination(i.operands.at(0), 4), token = source(i.operands.at(1), 8);
    Op& op = emit(handlers.pending_count);
    op.d = d;
    op.a = token;
    return true;
  }
  if (of_copies) {
    emit(handlers.land_copies);
    if (!i.has("noinc")) return true;  // one arrival more is expected, and has come
  }
  const bool tests = what == "test_wait" || what == "try_wait",
             has_result = tests || (what.starts_with("arrive") && !of_copies);
  const size_t first = has_result ? 1 : 0;
  const Operand& where = i.operands.at(first);
  const bool in_shared = i.has("shared") || i.has("shared::cta") || i.has("shared::cluster");
  const Address at = address(where, in_shared ? ptx::Space::Shared : ptx::Space::None);
  uint32_t operand = isa::kNone, transactions = isa::kNone, d = isa::kNone;
  const bool by_parity = i.has("parity"), expects = what == "expect_tx" || i.has("expect_tx");
  if (i.operands.size() > first + 1) {
    const Operand& last = i.operands[first + 1];
    if (tests && !by_parity)
      operand = source(last, 8);
    else if (expects || what == "complete_tx")
      transactions = source(last, 4);
    else
      operand = source(last, 4);
  }
  const bool needs_operand = tests || expects || what == "init" || what == "complete_tx";
  if (needs_operand && operand == isa::kNone && transactions == isa::kNone)
    throw Untranslatable(i.mnemonic() + " without its operand");
  if (what == "complete_tx") {
    const uint32_t negated = scratch(4, 14);
    Op& op = emit(form("neg.s32").run);
    op.d = negated;
    op.a = transactions;
    transactions = negated;
  }
  if (has_result && i.operands[0].kind != Operand::Kind::Sink)
    d = destination(i.operands[0], tests ? 0 : 8);
  const Handler run = what == "init"                                 ? handlers.initialise
                      : what == "expect_tx" || what == "complete_tx" ? handlers.change_transactions
                      : what == "arrive"                             ? handlers.arrive
                      : what == "arrive_drop"                        ? handlers.arrive_and_drop
                      : !tests                                       ? nullptr
                      : by_parity                                    ? handlers.test_parity
                                                                     : handlers.test_token;
  if (run == nullptr) throw Untranslatable(i.mnemonic());
  kernel_.shared_cell = std::min(kernel_.shared_cell, 4u);
  kernel_.sites[site_].strength = tests || what == "init" ? Strength::Strong : Strength::Releasing;
  Op& op = emit(run);
  op.d = d;
  op.a = at.base;
  op.b = !in_shared ? isa::kGeneric : at.wide ? isa::kWideShared : isa::kNarrowShared;
  op.c = operand;
  op.imm = at.offset;
  op.extra = transactions;
  return true;
}

}  // namespace vgpu
