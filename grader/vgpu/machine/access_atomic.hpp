// Checks and counts of atomic operations on global memory: which lanes of a warp the hardware
// serves together. Part of the funnel of access.hpp.
#pragma once

#include "machine/access.hpp"

namespace vgpu::VGPU_VARIANT {

/// The place, 0 to 127, by which the hardware tells whether two lanes may update one address: the
/// quarter of L1 and the word in the line. Addresses of one place need not be equal.
VGPU_INLINE uint32_t atomic_place(uint64_t address) {
  return l1_quarter(address) << 5 | static_cast<uint32_t>(address >> 2 & 31);
}

/// Sectors of an atomic operation; its addresses count from `origin`, a multiple of 128. The
/// hardware serves lanes of one block of memory (`block_bytes`, at most 128) at a time: of the
/// first waiting lane's block all those lanes before which no waiting lane has their place. The
/// others wait, and a sector counts each time that lanes in it are served.
VGPU_OUTLINE uint32_t atomic_sectors(const Addresses& addresses, uint32_t waiting, uint64_t origin,
                                     uint32_t block_bytes) {
  uint64_t at[kLanes];
  uint32_t place[kLanes], sectors = 0;
  for (int i = 0; i < kLanes; ++i) {
    at[i] = addresses.at[i] - origin;
    place[i] = atomic_place(at[i]);
  }
  while (waiting != 0) {
    const uint64_t block = at[__builtin_ctz(waiting)] / block_bytes;
    uint32_t taken[4] = {}, served = 0, touched = 0;
    for (uint32_t left = waiting; left != 0; left &= left - 1) {
      const int i = __builtin_ctz(left);
      uint32_t& words = taken[place[i] / 32];
      const uint32_t word = 1u << place[i] % 32;
      if ((words & word) == 0 && at[i] / block_bytes == block) {
        served |= 1u << i;
        touched |= 1u << (at[i] >> 5 & 3);
      }
      words |= word;
    }
    waiting &= ~served;
    sectors += static_cast<uint32_t>(__builtin_popcount(touched));
  }
  return sectors;
}

/// Checks `size` bytes at each lane's address and counts one request. `compares`: the operation is
/// a compare-and-swap, whose lanes send two operands and are served in blocks of half the size.
/// Addresses count from the start of their allocation, so that a count does not depend on where
/// the allocation happens to lie.
VGPU_OUTLINE void check_global_atomic(Warp& w, const Op* op, const Addresses& addresses,
                                      uint32_t size, bool compares) {
  uint64_t& sectors = w.site_counts[op->site].global.sectors;
  const uint64_t before = sectors;
  check_global(w, op, addresses, size, Intent::Atomic);
  sectors =
      before + atomic_sectors(addresses, w.active, w.caches[op->site].begin, compares ? 64 : 128);
}

}  // namespace vgpu::VGPU_VARIANT
