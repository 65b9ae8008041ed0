// Asynchronous copies from global to shared memory (PTX ISA 9.0, section 9.7.9.25, cp.async). The
// copies wait in machine/async_copies.hpp.
#include <cstdint>

#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/access_tensor.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

[[gnu::noinline]] void issue(Warp& w, const Op* op) {
  const isa::AsyncOperands& more =
      *reinterpret_cast<const isa::AsyncOperands*>(w.operands + op->extra);
  const uint32_t bytes = op->c, all = w.active;
  Addresses to, from;
  if (more.wide_destination != 0)
    collect_addresses(to, w.lanes<uint64_t>(op->a), op->imm, all);
  else
    collect_addresses(to, w.lanes<uint32_t>(op->a), op->imm, all);

  AsyncCopy copy;
  copy.op = op;
  copy.lanes = all;
  copy.bytes = bytes;
  const uint32_t ignored = more.ignore == isa::kNone ? 0 : w.predicate(more.ignore);
  uint32_t readers = 0;
  for (int i = 0; i < kLanes; ++i) {
    uint32_t present = more.present == isa::kNone ? bytes : w.lanes<uint32_t>(more.present)[i];
    if ((ignored >> i & 1) != 0) present = 0;
    if ((all >> i & 1) == 0) present = 0;
    if (present > bytes) {
      w.fault(FaultCode::IllegalAddress, op, i, "cp.async reads more than it copies",
              "its last operand, the number of bytes to read, must not exceed the number to copy");
    }
    readers |= static_cast<uint32_t>(present != 0) << i;
    copy.present[i] = present;
  }

  // Lanes that read nothing may hold any address.
  w.active = readers;
  if (readers != 0) {
    collect_addresses(from, w.lanes<uint64_t>(op->b), more.source_offset, readers);
    check_async_source(w, op, from, to, copy.present, bytes, more.through_l1 != 0);
  } else {
    from = {};
  }
  w.active = all;
  check_async_destination(w, op, to, from, readers, bytes, more.through_l1 != 0);
  for (int i = 0; i < kLanes; ++i) {
    copy.from[i] = from.at[i];
    copy.to[i] = static_cast<uint32_t>(to.at[i]);
  }
  w.copies.issue(copy, w.shared);
}

const Op* copy(Warp& w, const Op* op) {
  issue(w, op);
  return next(w, op + 1);
}

const Op* commit(Warp& w, const Op* op) {
  w.copies.commit(w.active);
  return next(w, op + 1);
}

const Op* wait(Warp& w, const Op* op) {
  w.copies.wait(w, static_cast<uint32_t>(op->imm));
  return next(w, op + 1);
}

}  // namespace

extern const isa::AsyncHandlers async_handlers;
const isa::AsyncHandlers async_handlers = {copy, commit, wait};

}  // namespace vgpu::VGPU_VARIANT
