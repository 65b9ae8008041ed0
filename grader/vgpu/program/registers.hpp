// Register compaction: virtual PTX registers -> slots in a warp's register file. Registers that are
// never live at the same time share a slot, which keeps the file of a warp small enough for the
// cache.
#pragma once

#include <cstdint>
#include <vector>

#include "program/flow.hpp"
#include "ptx/module.hpp"

namespace vgpu {

/// Registers that an instruction reads and writes. Writes under a guard also count as reads: the
/// old value may stay.
struct RegisterUse {
  std::vector<int> reads, writes;
};
RegisterUse register_use(const ptx::Instruction& instruction);

/// True when the first operand is a destination.
bool has_destination(const ptx::Instruction& instruction);

/// Bytes that one lane of a register takes; 0 for a predicate, which takes one bit.
uint32_t lane_bytes(ptx::Type type);

struct RegisterSlots {
  std::vector<uint32_t> offset;  ///< by register, in bytes
  uint32_t bytes = 0;            ///< of all slots
  uint32_t words = 0;            ///< 32-bit slots, for statistics
};
RegisterSlots assign_slots(const ptx::Function& function, const FlowGraph& graph);

}  // namespace vgpu
