// What the checks of shared memory have in common. A shadow holds a record for each cell of the
// block's shared memory: 4 bytes, or less when the kernel has smaller accesses.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "machine/block.hpp"
#include "machine/observer.hpp"
#include "observe/cell_loop.hpp"

namespace vgpu {

inline constexpr uint32_t kManyLanes = 32;  ///< in place of a lane: more than one

/// Consecutive cells that lanes touch: all of them by `lane`, or, when `each` is not 0, the first
/// `each` by lane 0, the next by lane 1, and so on.
struct Cells {
  uint32_t first, count;
  uint32_t lane;
  uint32_t each = 0;
};

/// Cells by byte addresses.
class CellGrid {
 public:
  explicit CellGrid(const Block& block)
      : shift_(static_cast<uint32_t>(std::countr_zero(block.context.kernel->shared_cell))),
        count_((block.context.shared_bytes >> shift_) + 1) {}

  uint32_t count() const { return count_; }
  uint32_t bytes() const { return 1u << shift_; }
  uint32_t cell(uint64_t address) const { return static_cast<uint32_t>(address >> shift_); }
  uint64_t address(uint32_t cell) const { return uint64_t{cell} << shift_; }

  /// Calls visit(Cells) for what an access to shared memory touches, until it returns false.
  template <class F>
  void for_each(const Access& access, F visit) const {
    const uint64_t* at = access.address;
    const uint32_t each = access.size > bytes() ? access.size >> shift_ : 1;
    if (access.lanes == kFullMask) {
      const uint64_t step = at[1] - at[0];
      if (step == 0 || step == access.size) {
        uint64_t differs = 0;
        for (uint64_t i = 0; i < kWarpSize; ++i) differs |= at[i] ^ (at[0] + i * step);
        if (differs == 0) {
          if (step == 0)
            visit(Cells{cell(at[0]), each, kManyLanes});
          else
            visit(Cells{cell(at[0]), each * kWarpSize, 0, each});
          return;
        }
      }
    }
    for (uint32_t left = access.lanes; left != 0; left &= left - 1) {
      const auto lane = static_cast<uint32_t>(std::countr_zero(left));
      if (!visit(Cells{cell(at[lane]), each, lane})) return;
    }
  }

 private:
  uint32_t shift_, count_;
};

/// The lane that touches the k-th of some cells.
inline uint32_t lane_of(const Cells& cells, uint32_t k) {
  return cells.each == 0 ? cells.lane : k / cells.each;
}
/// For reports: one lane of them.
inline int some_lane(const Cells& cells, uint32_t k, const Access& access) {
  const uint32_t lane = lane_of(cells, k);
  return static_cast<int>(lane == kManyLanes ? std::countr_zero(access.lanes) : lane);
}

/// "byte 12 of `tile`" or "byte 12 of the block's shared memory".
std::string shared_place(const Block& block, uint64_t address);

}  // namespace vgpu
