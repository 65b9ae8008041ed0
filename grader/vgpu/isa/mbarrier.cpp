// Barrier objects in shared memory (PTX ISA 9.0, section 9.7.13.15, mbarrier). The 64-bit object is
// opaque to programs; ours holds, from the lowest bit: arrivals that are pending (20 bits),
// arrivals that a phase expects (20 bits), bytes of asynchronous transactions that are pending (21
// bits, signed), and in the highest bit the parity of the phase.
#include <cstdint>
#include <cstring>

#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/access.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

constexpr uint32_t kMostArrivals = (1u << 20) - 1;

struct Object {
  uint32_t pending = 0, expected = 0;
  int32_t transactions = 0;
  bool phase = false;

  static Object unpack(uint64_t word) {
    Object o;
    o.pending = word & kMostArrivals;
    o.expected = word >> 20 & kMostArrivals;
    o.transactions = static_cast<int32_t>(static_cast<uint32_t>(word >> 40) << 11) >> 11;
    o.phase = (word >> 63) != 0;
    return o;
  }
  uint64_t pack() const {
    const uint64_t bytes = static_cast<uint32_t>(transactions) & ((1u << 21) - 1);
    return pending | uint64_t{expected} << 20 | bytes << 40 | uint64_t{phase} << 63;
  }
  void complete_phase() {
    if (pending != 0 || transactions != 0) return;
    phase = !phase;
    pending = expected;
  }
};

uint64_t load(const Warp& w, uint64_t address) {
  uint64_t word;
  std::memcpy(&word, w.shared + address, sizeof word);
  return word;
}
void store(const Warp& w, uint64_t address, const Object& o) {
  const uint64_t word = o.pack();
  std::memcpy(w.shared + address, &word, sizeof word);
}

void find_objects(Warp& w, const Op* op, Addresses& addresses, Intent intent) {
  if (op->b == isa::kNarrowShared) {
    collect_addresses(addresses, w.lanes<uint32_t>(op->a), op->imm, w.active);
  } else {
    const uint64_t window = op->b == isa::kGeneric ? kSharedWindow : 0;
    collect_addresses(addresses, w.lanes<uint64_t>(op->a), op->imm - static_cast<int64_t>(window),
                      w.active);
  }
  check_shared(w, op, addresses, sizeof(uint64_t), intent);
}

uint32_t operand(const Warp& w, uint32_t offset, int lane, uint32_t absent) {
  return offset == isa::kNone ? absent : w.lanes<uint32_t>(offset)[lane];
}

[[gnu::noinline, gnu::cold]] void bad_count(const Warp& w, const Op* op, int lane,
                                            const char* what) {
  w.fault(FaultCode::Trap, op, lane, "a barrier object is used wrongly", what);
}

enum class Arrive { Plain, Drop, Transactions };

[[gnu::noinline]] void initialise(Warp& w, const Op* op) {
  Addresses at;
  find_objects(w, op, at, Intent::Store);
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int i = __builtin_ctz(left);
    const uint32_t count = operand(w, op->c, i, 0);
    if (count == 0 || count > kMostArrivals)
      bad_count(w, op, i, "it is initialised for no arrivals, or for more than 1048575");
    store(w, at.at[i], {count, count, 0, false});
  }
}

// Arrivals of the active lanes, one after the other: c of them each (1 without c), `extra` more
// bytes expected.
template <Arrive kArrive>
[[gnu::noinline]] void arrive(Warp& w, const Op* op) {
  Addresses at;
  find_objects(w, op, at, Intent::Atomic);
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int i = __builtin_ctz(left);
    const uint64_t before = load(w, at.at[i]);
    Object o = Object::unpack(before);
    o.transactions += static_cast<int32_t>(operand(w, op->extra, i, 0));
    if constexpr (kArrive != Arrive::Transactions) {
      const uint32_t count = operand(w, op->c, i, 1);
      if (count > o.pending)
        bad_count(w, op, i,
                  "more threads arrive than it was initialised for, or it was not initialised");
      o.pending -= count;
      if constexpr (kArrive == Arrive::Drop) o.expected -= count;
    }
    o.complete_phase();
    store(w, at.at[i], o);
    if (op->d != isa::kNone) w.lanes<uint64_t>(op->d)[i] = before;
  }
}

// Whether the phase of a token (`by_parity`: of a parity) is over. Who asks in vain lets others
// run.
template <bool kByParity>
[[gnu::noinline]] void test(Warp& w, const Op* op) {
  Addresses at;
  find_objects(w, op, at, Intent::Load);
  uint32_t over = 0;
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int i = __builtin_ctz(left);
    const bool asked = kByParity ? (w.lanes<uint32_t>(op->c)[i] & 1) != 0
                                 : (w.lanes<uint64_t>(op->c)[i] >> 63) != 0;
    over |= static_cast<uint32_t>(Object::unpack(load(w, at.at[i])).phase != asked) << i;
  }
  if ((over & w.active) != w.active) w.polls(kFuel);
  write_predicate(w, op->d, over);
}

[[gnu::noinline]] void pending_count(Warp& w, const Op* op) {
  const uint64_t* const token = w.lanes<uint64_t>(op->a);
  write_lanes<uint32_t>(w, op->d, [&](int i) { return Object::unpack(token[i]).pending; });
}

template <void F(Warp&, const Op*)>
const Op* handler(Warp& w, const Op* op) {
  F(w, op);
  return next(w, op + 1);
}

// The copies that the active lanes have issued are carried out now, so they have arrived.
const Op* land_copies(Warp& w, const Op* op) {
  w.copies.wait(w, 0);
  return next(w, op + 1);
}

}  // namespace

extern const isa::BarrierObjectHandlers barrier_object_handlers;
const isa::BarrierObjectHandlers barrier_object_handlers = {
    .initialise = handler<initialise>,
    .arrive = handler<arrive<Arrive::Plain>>,
    .arrive_and_drop = handler<arrive<Arrive::Drop>>,
    .change_transactions = handler<arrive<Arrive::Transactions>>,
    .test_token = handler<test<false>>,
    .test_parity = handler<test<true>>,
    .pending_count = handler<pending_count>,
    .land_copies = land_copies,
};

}  // namespace vgpu::VGPU_VARIANT
