// What the checks of shared memory have in common: one record per byte, laid out like the block's
// shared memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine/block.hpp"
#include "machine/observer.hpp"

namespace vgpu {

/// Calls visit(lane, byte) for every byte of shared memory that an access touches, lane after lane,
/// until it returns false. Nothing for other memory.
template <class F>
void for_each_shared_byte(const Access& access, F visit) {
  if (access.kind != MemoryKind::Shared) return;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    if ((access.lanes >> lane & 1) == 0) continue;
    for (uint32_t k = 0; k < access.size; ++k) {
      if (!visit(lane, access.address[lane] + k)) return;
    }
  }
}

/// "byte 12 of the block's shared memory".
inline std::string shared_place(uint64_t byte) {
  return "byte " + std::to_string(byte) + " of the block's shared memory";
}

}  // namespace vgpu
