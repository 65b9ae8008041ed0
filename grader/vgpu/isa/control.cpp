// Control flow, barriers and calls (PTX ISA 9.0, sections 9.7.12 and 9.7.13), and the bookkeeping
// operations that the decoder adds.
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "isa/builtins.hpp"
#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/block.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

// --- blocks and branches ---
[[gnu::always_inline]] inline void count_block(Warp& w, const Op* op) {
  BlockCount& count = w.block_counts[op->imm];
  count.warps += 1;
  count.lanes += static_cast<uint64_t>(std::popcount(w.active));
}

const Op* enter_block(Warp& w, const Op* op) {
  count_block(w, op);
  return next(w, op + 1);
}

const Op* enter_meeting(Warp& w, const Op* op) {
  if (w.reconvergence == op) [[unlikely]] {
    const Op* where = w.reconverge(op);
    if (where != op) return next_if_any(w, where);
  }
  if (--w.fuel <= 0) [[unlikely]]
    return w.give_way(op);
  count_block(w, op);
  return next(w, op + 1);
}

const Op* jump(Warp& w, const Op* op) {
  return next(w, op + op->imm);
}

const Op* branch(Warp& w, const Op* op) {
  const uint32_t taken = (w.predicate(op->a) ^ op->b) & w.active;
  SiteCount& count = w.site_counts[op->site];
  count.executed += 1;
  if (taken == w.active) return next(w, op + op->imm);
  if (taken == 0) return next(w, op + 1);
  count.divergent += 1;
  const Op* meet = op->extra == 0 ? nullptr : op + static_cast<int32_t>(op->extra);
  return next_if_any(w, w.diverge(op + op->imm, taken, op + 1, meet));
}

[[gnu::noinline]] const Op* pick_from_table(Warp& w, const Op* op) {
  constexpr size_t kMostTargets = 33;  // 32 lanes cannot take more ways
  const uint32_t* index = w.lanes<uint32_t>(op->a);
  const Op* targets[kMostTargets];
  uint32_t lanes[kMostTargets];
  size_t count = 0;
  for (uint32_t left = w.active; left != 0;) {
    const uint32_t entry = index[std::countr_zero(left)];
    if (entry >= op->c) {
      w.fault(FaultCode::Trap, op, std::countr_zero(left), "a branch table has no such entry", "");
    }
    uint32_t same = 0;
    for (int i = 0; i < 32; ++i) same |= static_cast<uint32_t>(index[i] == entry) << i;
    targets[count] = op + static_cast<int32_t>(w.operands[op->extra + entry]);
    lanes[count++] = same & left;
    left &= ~same;
  }
  SiteCount& site = w.site_counts[op->site];
  site.executed += 1;
  if (count == 1) return targets[0];
  site.divergent += 1;
  return w.diverge(targets, lanes, count, op->imm == 0 ? nullptr : op + op->imm);
}
const Op* branch_table(Warp& w, const Op* op) {
  return next_if_any(w, pick_from_table(w, op));
}

const Op* guard(Warp& w, const Op* op) {
  const uint32_t on = (w.predicate(op->a) ^ op->b) & w.active;
  SiteCount& count = w.site_counts[op->site];
  count.idle_lanes += static_cast<uint64_t>(std::popcount(w.active & ~on));
  if (on == 0) {
    count.idle_warps += 1;
    return next(w, op + op->imm);
  }
  w.predicate(op->d) = w.active;
  w.active = on;
  return next(w, op + 1);
}
// Lanes that exited under the guard stay off.
const Op* unguard(Warp& w, const Op* op) {
  w.active = w.predicate(op->d) & w.live;
  return next(w, op + 1);
}

const Op* exit(Warp& w, const Op*) {
  return next_if_any(w, w.exit_lanes());
}
// A guarded exit: the lanes that stay on go on behind it.
const Op* guarded_exit(Warp& w, const Op* op) {
  const uint32_t leaving = (w.predicate(op->a) ^ op->b) & w.active;
  if (leaving == 0) return next(w, op + 1);
  if (leaving == w.active) return next_if_any(w, w.exit_lanes());
  return next_if_any(w, w.exit_some(leaving, op + 1));
}

int first_lane(const Warp& w) {
  return std::countr_zero(w.active);
}

[[gnu::noinline]] void raise_trap(Warp& w, const Op* op) {
  w.fault(FaultCode::Trap, op, first_lane(w), "the kernel stopped itself with a trap",
          "__trap() or a failed check");
}
const Op* trap(Warp& w, const Op* op) {
  raise_trap(w, op);
  return nullptr;
}
const Op* unsupported(Warp& w, const Op* op) {
  device_unsupported(w, op);
  return nullptr;
}
const Op* nop(Warp& w, const Op* op) {
  return next(w, op + 1);
}
const Op* fence(Warp& w, const Op* op) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (w.quick == 0) notify_fence(w);
  return next(w, op + 1);
}

const Op* poll(Warp& w, const Op* op) {
  w.polls(static_cast<int32_t>(op->imm));
  return next(w, op + 1);
}

// --- barriers ---
[[gnu::noinline]] bool arrive(Warp& w, const Op* op) {
  const int lane = first_lane(w);
  Block::Arrival arrival;
  arrival.id = w.lanes<uint32_t>(op->a)[lane];
  arrival.threads = op->b == isa::kNone ? 0 : w.lanes<uint32_t>(op->b)[lane];
  arrival.waits = (op->imm & isa::kBarrierArrivesOnly) == 0;
  arrival.lanes = w.active;
  arrival.op = op;
  using Reduction = Block::Arrival::Reduction;
  if ((op->imm & isa::kBarrierPopc) != 0) arrival.reduction = Reduction::Popc;
  if ((op->imm & isa::kBarrierAnd) != 0) arrival.reduction = Reduction::And;
  if ((op->imm & isa::kBarrierOr) != 0) arrival.reduction = Reduction::Or;
  if (arrival.reduction != Reduction::None)
    arrival.vote = (w.predicate(op->c) ^ op->extra) & w.active;
  return w.block->arrive(w, arrival);
}
const Op* barrier(Warp& w, const Op* op) {
  // The other lanes may be about to exit, or come here on another path.
  if (w.active != w.live) return next_if_any(w, w.collect(op, kFullMask));
  if (!arrive(w, op)) return next(w, op + 1);
  return w.wait_at_barrier(op + 1);
}
const Op* barrier_result(Warp& w, const Op* op) {
  const uint32_t result = w.block->reduction(w);
  if ((op->imm & isa::kBarrierPopc) != 0) {
    write_lanes<uint32_t>(w, op->d, [&](int) { return result; });
  } else {
    write_predicate(w, op->d, result != 0 ? kFullMask : 0);
  }
  return next(w, op + 1);
}

const Op* warp_barrier(Warp& w, const Op* op) {
  const uint32_t* masks = w.lanes<uint32_t>(op->a);
  uint32_t members = 0;  // of all groups, when lanes name different ones
  for (uint32_t left = w.active; left != 0; left &= left - 1)
    members |= masks[std::countr_zero(left)];
  if ((members & w.live & ~w.active) != 0) return next_if_any(w, w.collect(op, members));
  if (w.quick == 0) notify_warp_barrier(w);
  return next(w, op + 1);
}

const Op* active_mask(Warp& w, const Op* op) {
  const uint32_t active = w.active;
  write_lanes<uint32_t>(w, op->d, [&](int) { return active; });
  return next(w, op + 1);
}

// --- calls ---
// A parameter occupies rows of 32 words: word k of lane i lies at offset k * 128 + i * 4.
void copy_rows(uint8_t* to, const uint8_t* from, uint32_t bytes, uint32_t active) {
  for (uint32_t row = 0; row < (bytes + 3) / 4; ++row) {
    for (uint32_t i = 0; i < 32; ++i) {
      if ((active >> i & 1) != 0) std::memcpy(to + row * 128 + i * 4, from + row * 128 + i * 4, 4);
    }
  }
}

[[gnu::noinline]] const Op* start_call(Warp& w, const Op* op, size_t code) {
  const Kernel& kernel = *w.block->context.kernel;
  const Code& callee = kernel.codes[code];
  const uint32_t* list = w.operands + op->extra;
  const uint8_t* from = w.registers;
  const Op* entry = w.call(op, callee, kernel.codes[list[0]]);
  for (uint32_t k = 0; k < list[1]; ++k) {
    const uint32_t* argument = list + 2 + 3 * k;
    copy_rows(w.registers + argument[1], from + argument[0], argument[2], w.active);
  }
  w.block->enter(w, callee);
  return entry;
}
const Op* call(Warp& w, const Op* op) {
  return next(w, start_call(w, op, static_cast<size_t>(op->imm)));
}

// Lanes with one target go together; the others come back here without them, and all meet behind
// the call.
[[gnu::noinline]] const Op* start_pointer_call(Warp& w, const Op* op) {
  const uint64_t* const pointer = w.lanes<uint64_t>(op->a);
  const int lane = first_lane(w);
  const uint64_t target = pointer[lane];
  uint32_t same = 0;
  for (int i = 0; i < kWarpSize; ++i) same |= static_cast<uint32_t>(pointer[i] == target) << i;
  same &= w.active;
  if (same != w.active) {
    const Op* const targets[] = {op, op};
    const uint32_t lanes[] = {same, w.active & ~same};
    w.site_counts[op->site].divergent += 1;
    return w.diverge(targets, lanes, 2, op + 1);
  }
  const auto& codes = w.block->context.kernel->code_of_function;
  const uint64_t number = (target - kCodeWindow) / 16;
  if ((target & kWindowMask) != kCodeWindow || number >= codes.size() ||
      codes[number] == Kernel::kNoCode) {
    w.fault(FaultCode::IllegalAddress, op, lane, "call through a pointer that leads to no function",
            "it may be null, never set, or the address of a host function: take the address of a "
            "__device__ function in device code");
  }
  return start_call(w, op, codes[number]);
}
const Op* call_pointer(Warp& w, const Op* op) {
  return next(w, start_pointer_call(w, op));
}

// --- memory of a lane's own ---
[[gnu::noinline]] void allocate_on_stack(Warp& w, const Op* op) {
  const uint64_t* const bytes = w.lanes<uint64_t>(op->a);
  uint64_t* const address = w.lanes<uint64_t>(op->d);
  const auto alignment = static_cast<uint64_t>(op->imm);
  const uint64_t lowest = w.local_bytes - w.block->context.kernel->stack_bytes;
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    uint32_t& top = w.stack[static_cast<size_t>(i)];
    const uint64_t room = top - lowest;
    if (room < alignment || bytes[i] > room - alignment) {
      w.fault(FaultCode::StackOverflow, op, i, "alloca: the thread's stack is full",
              "a thread has 64 KiB for it, all functions that are under way together");
    }
    top = static_cast<uint32_t>((top - bytes[i]) / alignment * alignment);
    address[i] = top;
  }
}
const Op* stack_allocate(Warp& w, const Op* op) {
  allocate_on_stack(w, op);
  return next(w, op + 1);
}
const Op* stack_save(Warp& w, const Op* op) {
  write_lanes<uint64_t>(w, op->d, [&](int i) { return w.stack[static_cast<size_t>(i)]; });
  return next(w, op + 1);
}
const Op* stack_restore(Warp& w, const Op* op) {
  const uint64_t* const top = w.lanes<uint64_t>(op->a);
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    w.stack[static_cast<size_t>(i)] = static_cast<uint32_t>(top[i]);
  }
  return next(w, op + 1);
}
const Op* heap_allocate(Warp& w, const Op* op) {
  device_allocate(w, op);
  return next(w, op + 1);
}
const Op* heap_free(Warp& w, const Op* op) {
  device_free(w, op);
  return next(w, op + 1);
}

[[gnu::noinline]] const Op* end_call(Warp& w) {
  const Op* op = w.return_from_call();
  const uint32_t* list = w.operands + op->extra;
  const uint32_t* results = list + 2 + 3 * list[1];
  for (uint32_t k = 0; k < results[0]; ++k) {
    const uint32_t* result = results + 1 + 3 * k;
    copy_rows(w.registers + result[1], w.frame_above() + result[0], result[2], w.active);
  }
  return op + 1;
}
const Op* return_(Warp& w, const Op*) {
  return next(w, end_call(w));
}

const Op* local_address(Warp& w, const Op* op) {
  const uint64_t address = w.local_base + static_cast<uint64_t>(op->imm);
  write_lanes<uint64_t>(w, op->d, [&](int) { return address; });
  return next(w, op + 1);
}

const Op* clock(Warp& w, const Op* op) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto nanoseconds =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  if (op->imm == 0)
    write_lanes<uint32_t>(w, op->d, [&](int) { return static_cast<uint32_t>(nanoseconds); });
  else
    write_lanes<uint64_t>(w, op->d, [&](int) { return nanoseconds; });
  return next(w, op + 1);
}

const Op* print(Warp& w, const Op* op) {
  device_print(w, op);
  return next(w, op + 1);
}
const Op* assert_fail(Warp& w, const Op* op) {
  device_assert(w, op);
  return nullptr;
}

}  // namespace

extern const isa::Builtins builtin_handlers;
const isa::Builtins builtin_handlers = {
    .enter_block = enter_block,
    .enter_meeting = enter_meeting,
    .jump = jump,
    .branch = branch,
    .branch_table = branch_table,
    .guard = guard,
    .unguard = unguard,
    .exit = exit,
    .guarded_exit = guarded_exit,
    .trap = trap,
    .unsupported = unsupported,
    .nop = nop,
    .fence = fence,
    .poll = poll,
    .barrier = barrier,
    .barrier_result = barrier_result,
    .warp_barrier = warp_barrier,
    .call = call,
    .call_pointer = call_pointer,
    .return_ = return_,
    .stack_allocate = stack_allocate,
    .stack_save = stack_save,
    .stack_restore = stack_restore,
    .heap_allocate = heap_allocate,
    .heap_free = heap_free,
    .local_address = local_address,
    .print = print,
    .assert_fail = assert_fail,
    .clock = clock,
    .active_mask = active_mask,
};

}  // namespace vgpu::VGPU_VARIANT
