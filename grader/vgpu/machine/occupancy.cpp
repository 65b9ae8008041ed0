#include "machine/occupancy.hpp"

#include <algorithm>

namespace vgpu {
namespace {

template <class Number>
Number round_up(Number value, Number unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

Occupancy occupancy(const GpuProfile& profile, int threads, int registers, size_t shared_bytes) {
  const int warps = round_up(threads, kWarpSize) / kWarpSize;
  const int most_warps = profile.max_threads_per_multiprocessor / kWarpSize;
  // A warp lives in one of the multiprocessor's partitions, and its registers come from there.
  const int warp_registers =
      round_up(std::max(registers, 1) * kWarpSize, profile.register_allocation_unit);
  const int partition = profile.registers_per_multiprocessor / profile.partitions;
  const size_t shared =
      round_up(shared_bytes, profile.shared_allocation_unit) + profile.reserved_shared_per_block;
  Occupancy result;
  result.by_registers = partition / warp_registers * profile.partitions / warps;
  // Where the GPU reserves nothing, a block may use nothing.
  result.by_shared_memory =
      static_cast<int>(profile.shared_per_multiprocessor / std::max<size_t>(shared, 1));
  result.by_warps = most_warps / warps;
  result.by_blocks = profile.max_blocks_per_multiprocessor;
  result.blocks =
      std::min({result.by_registers, result.by_shared_memory, result.by_warps, result.by_blocks});
  result.fraction = static_cast<double>(result.blocks * warps) / most_warps;
  return result;
}

}  // namespace vgpu
