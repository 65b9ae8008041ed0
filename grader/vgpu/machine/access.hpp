// The one way to memory: every load and store of a kernel goes through the functions below, which
// check it, count it and then do it. Counting rules: README.md, "Counts".
//
// Compiled once per instruction set (isa/lanes.hpp), hence the namespace.
#pragma once

#include <cstdint>
#include <cstring>

#include "machine/access_fault.hpp"
#include "machine/block.hpp"
#include "machine/variant.hpp"
#include "machine/warp.hpp"

namespace vgpu::VGPU_VARIANT {

#define VGPU_INLINE [[gnu::always_inline]] inline
#define VGPU_OUTLINE [[gnu::noinline, maybe_unused]] static
#define VGPU_SLOW [[gnu::noinline, gnu::cold, maybe_unused]] static

inline constexpr int kLanes = 32;

/// The addresses of one memory instruction. Lanes that are switched off repeat the first active
/// lane's address, so that sums over all 32 lanes need no mask.
struct Addresses {
  alignas(64) uint64_t at[kLanes];
};

template <class Address>
VGPU_INLINE bool has_step(const Address* base, Address step) {
  uint64_t differs = 0;
  for (int i = 0; i < kLanes; ++i) {
    differs |= static_cast<Address>(base[i] - base[0]) ^
               static_cast<Address>(static_cast<Address>(i) * step);
  }
  return differs == 0;
}

/// Addresses of 32 bits wrap around: an index may be negative in the register and the offset may
/// make up for it.
template <class Address>
[[gnu::noinline]] void collect_addresses(Addresses& out, const Address* base, int64_t offset,
                                         uint32_t active) {
  const auto add = static_cast<Address>(offset);
  if (active == kFullMask) {
    for (int i = 0; i < kLanes; ++i) out.at[i] = static_cast<Address>(base[i] + add);
    return;
  }
  const Address first = base[__builtin_ctz(active)];
  for (int i = 0; i < kLanes; ++i) {
    const Address lane = (active >> i & 1) != 0 ? base[i] : first;
    out.at[i] = static_cast<Address>(lane + add);
  }
}

struct What {
  MemoryKind kind;
  Intent intent;
};

VGPU_INLINE void notify(Warp& w, const Op* op, What what, const Addresses& addresses,
                        uint32_t size) {
  notify_observers({w, op, what.kind, what.intent, size, w.active, addresses.at});
}

struct Range {
  uint64_t low, high,
      bits;  // smallest and largest address; all address bits together, for alignment
};

VGPU_INLINE Range range_of(const Addresses& addresses) {
  Range r{addresses.at[0], addresses.at[0], 0};
  for (int i = 0; i < kLanes; ++i) {
    const uint64_t a = addresses.at[i];
    r.low = a < r.low ? a : r.low;
    r.high = a > r.high ? a : r.high;
    r.bits |= a;
  }
  return r;
}

struct Footprint {
  uint32_t sectors = 0, values = 0;  // distinct 32-byte sectors, distinct addresses
};

/// Counts distinct addresses and sectors. Aligned accesses of one size either coincide or do not
/// overlap.
VGPU_OUTLINE Footprint unordered_footprint(const Addresses& addresses) {
  uint64_t sorted[kLanes];
  std::memcpy(sorted, addresses.at, sizeof sorted);
  for (int i = 1; i < kLanes; ++i) {  // insertion sort: 32 nearly ordered values
    const uint64_t value = sorted[i];
    int j = i;
    for (; j > 0 && sorted[j - 1] > value; --j) sorted[j] = sorted[j - 1];
    sorted[j] = value;
  }
  Footprint f{1, 1};
  for (int i = 1; i < kLanes; ++i) {
    f.values += sorted[i] != sorted[i - 1];
    f.sectors += sorted[i] >> 5 != sorted[i - 1] >> 5;
  }
  return f;
}

/// Sectors of an atomic operation: lanes that update the same address take turns, and a turn moves
/// its sectors anew. Each sector counts as often as its busiest address has lanes.
VGPU_OUTLINE uint32_t atomic_sectors(const Addresses& addresses, uint32_t active) {
  uint64_t sorted[kLanes];
  int lanes = 0;
  for (int i = 0; i < kLanes; ++i) {
    if ((active >> i & 1) == 0) continue;
    int j = lanes++;
    for (; j > 0 && sorted[j - 1] > addresses.at[i]; --j) sorted[j] = sorted[j - 1];
    sorted[j] = addresses.at[i];
  }
  uint32_t sectors = 0, turns = 0, most = 0;
  for (int i = 0; i < lanes; ++i) {
    turns = i > 0 && sorted[i] == sorted[i - 1] ? turns + 1 : 1;
    if (i > 0 && sorted[i] >> 5 != sorted[i - 1] >> 5) {
      sectors += most;
      most = 0;
    }
    most = turns > most ? turns : most;
  }
  return sectors + most;
}

VGPU_INLINE Footprint footprint(const Addresses& addresses) {
  uint32_t descending = 0, values = 1, sectors = 1;
  for (int i = 1; i < kLanes; ++i) {
    const uint64_t a = addresses.at[i], before = addresses.at[i - 1];
    descending += a < before;
    values += a != before;
    sectors += a >> 5 != before >> 5;
  }
  return descending == 0 ? Footprint{sectors, values} : unordered_footprint(addresses);
}

// --- global memory ---

VGPU_INLINE void touch(uint64_t* map, uint64_t sector) {
  uint64_t* word = map + (sector >> 6);
  const uint64_t bit = uint64_t{1} << (sector & 63);
  // Nearly always set already: a plain look saves the locked operation.
  if ((__atomic_load_n(word, __ATOMIC_RELAXED) & bit) == 0)
    __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
}

/// Lanes may lie in different allocations, or in none.
VGPU_SLOW void check_global_lanes(Warp& w, const Op* op, const Addresses& addresses, uint32_t size,
                                  Intent intent) {
  AccessCache& cache = w.caches[op->site];
  for (int i = 0; i < kLanes; ++i) {
    if ((w.active >> i & 1) == 0) continue;
    const uint64_t a = addresses.at[i];
    if (a % size != 0) bad_access(w, op, i, {MemoryKind::Global, intent, a, size});
    const bool hit = a >= cache.begin && a < cache.end;
    if ((!hit && !w.block->find_allocation(a, cache)) || a + size > cache.end) {
      bad_access(w, op, i, {MemoryKind::Global, intent, a, size});
    }
    touch(cache.touched, (a - cache.begin) >> 5);
  }
}

/// Checks `size` bytes (1 to 16, a power of two) at each lane's address and counts one request.
VGPU_OUTLINE void check_global(Warp& w, const Op* op, const Addresses& addresses, uint32_t size,
                               Intent intent) {
  const Range range = range_of(addresses);
  const AccessCache& cache = w.caches[op->site];
  const Footprint f = footprint(addresses);
  if (range.low >= cache.begin && range.high + size <= cache.end && (range.bits & (size - 1)) == 0)
      [[likely]] {
    uint64_t last = ~uint64_t{0};
    for (int i = 0; i < kLanes; ++i) {
      const uint64_t sector = (addresses.at[i] - cache.begin) >> 5;
      if (sector != last) touch(cache.touched, sector);
      last = sector;
    }
  } else {
    check_global_lanes(w, op, addresses, size, intent);
  }
  if (w.quick == 0) notify(w, op, {MemoryKind::Global, intent}, addresses, size);
  Traffic& count = w.site_counts[op->site].global;
  count.requests += 1;
  count.sectors += intent == Intent::Atomic ? atomic_sectors(addresses, w.active) : f.sectors;
  count.bytes += uint64_t{f.values} * size;
}

/// The same for 32 lanes that access `bytes` consecutive bytes together, or one value of `bytes`
/// bytes. False: take the way above.
VGPU_INLINE bool check_global_run(Warp& w, const Op* op, uint64_t address, uint32_t bytes,
                                  uint32_t alignment) {
  const AccessCache& cache = w.caches[op->site];
  if (address < cache.begin || address + bytes > cache.end || (address & (alignment - 1)) != 0)
    return false;
  const uint64_t first = (address - cache.begin) >> 5,
                 last = (address + bytes - 1 - cache.begin) >> 5;
  for (uint64_t sector = first; sector <= last; ++sector) touch(cache.touched, sector);
  Traffic& count = w.site_counts[op->site].global;
  count.requests += 1;
  count.sectors += last - first + 1;
  count.bytes += bytes;
  return true;
}

// --- shared memory ---

/// Wavefronts of one shared access: lanes are served in groups of 32, 16 or 8 for accesses of up to
/// 4, 8 or 16 bytes; a group takes as many wavefronts as the fullest bank has distinct 4-byte
/// words. One for each group with active lanes is the ideal.
VGPU_OUTLINE uint32_t group_wavefronts(const Addresses& addresses, uint32_t active, int first,
                                       int lanes, uint32_t words) {
  uint32_t seen[32][kLanes];
  uint8_t count[32] = {};
  uint32_t most = 0;
  for (int i = first; i < first + lanes; ++i) {
    if ((active >> i & 1) == 0) continue;
    for (uint32_t k = 0; k < words; ++k) {
      const auto word = static_cast<uint32_t>(addresses.at[i] >> 2) + k;
      const uint32_t bank = word & 31;
      uint8_t j = 0;
      while (j < count[bank] && seen[bank][j] != word) ++j;
      if (j < count[bank]) continue;
      seen[bank][count[bank]++] = word;
      most = count[bank] > most ? count[bank] : most;
    }
  }
  return most;
}

struct Wavefronts {
  uint32_t total = 0, conflicts = 0;
};

VGPU_INLINE bool pairs_coincide(const Addresses& addresses, uint32_t active, int distance) {
  for (int i = 0; i < kLanes; ++i) {
    const int other = i ^ distance;
    if ((active >> i & 1) != 0 && (active >> other & 1) != 0 &&
        addresses.at[i] != addresses.at[other])
      return false;
  }
  return true;
}

VGPU_OUTLINE Wavefronts count_wavefronts(const Addresses& addresses, uint32_t active, uint32_t size,
                                         bool load) {
  if (size == 4 && active == kFullMask) {
    const uint64_t step = addresses.at[1] - addresses.at[0];
    if (step % 4 == 0 && has_step(addresses.at, step)) {
      // Lanes a fixed number of words apart: as many share a bank as the largest common divisor
      // with 32 says.
      const uint64_t words = step / 4, divisor = words & (~words + 1);
      const uint32_t total = words == 0 ? 1 : divisor > 32 ? 32 : static_cast<uint32_t>(divisor);
      return {total, total - 1};
    }
  }
  const uint32_t words = size <= 4 ? 1 : size / 4;
  int group = kLanes / static_cast<int>(words);
  if (words > 1 && load &&
      (pairs_coincide(addresses, active, 1) || pairs_coincide(addresses, active, 2)))
    group *= 2;
  Wavefronts w;
  for (int first = 0; first < kLanes; first += group) {
    const uint32_t wavefronts = group_wavefronts(addresses, active, first, group, words);
    w.total += wavefronts;
    w.conflicts += wavefronts > 1 ? wavefronts - 1 : 0;
  }
  return w;
}

VGPU_OUTLINE void check_shared(Warp& w, const Op* op, const Addresses& addresses, uint32_t size,
                               Intent intent) {
  const Range range = range_of(addresses);
  if (range.high > w.shared_bytes || range.high + size > w.shared_bytes ||
      (range.bits & (size - 1)) != 0) [[unlikely]] {
    for (int i = 0; i < kLanes; ++i) {
      const uint64_t a = addresses.at[i];
      if (a > w.shared_bytes || a + size > w.shared_bytes || a % size != 0) {
        bad_access(w, op, i, {MemoryKind::Shared, intent, a, size});
      }
    }
  }
  if (w.quick == 0) notify(w, op, {MemoryKind::Shared, intent}, addresses, size);
  const Wavefronts waves = count_wavefronts(addresses, w.active, size, intent == Intent::Load);
  SharedTraffic& count = w.site_counts[op->site].shared;
  count.requests += 1;
  count.wavefronts += waves.total;
  count.conflicts += waves.conflicts;
}

// --- local memory ---

/// Local memory is private to a lane; hardware interleaves it by 4-byte words, so lanes that use
/// the same offset make one coalesced request.
VGPU_OUTLINE void check_local(Warp& w, const Op* op, const Addresses& addresses, uint32_t size,
                              Intent intent) {
  Addresses interleaved;
  for (int i = 0; i < kLanes; ++i) {
    const uint64_t a = addresses.at[i];
    if ((w.active >> i & 1) != 0 &&
        (a > w.local_bytes || a + size > w.local_bytes || a % size != 0)) [[unlikely]] {
      bad_access(w, op, i, {MemoryKind::Local, intent, a, size});
    }
    const uint64_t lane = (w.active >> i & 1) != 0 ? static_cast<uint64_t>(i)
                                                   : static_cast<uint64_t>(__builtin_ctz(w.active));
    interleaved.at[i] = (a >> 2) * (4 * kLanes) + lane * 4;
  }
  if (w.quick == 0) notify(w, op, {MemoryKind::Local, intent}, addresses, size);
  Traffic& count = w.site_counts[op->site].local;
  const uint32_t words = size <= 4 ? 1 : size / 4;
  for (uint32_t k = 0; k < words; ++k) {
    const Footprint f = footprint(interleaved);
    count.sectors += f.sectors;
    count.bytes += uint64_t{f.values} * (size < 4 ? size : 4);
    for (uint64_t& a : interleaved.at) a += 4 * kLanes;
  }
  count.requests += words;  // one for each 128 bytes
}

}  // namespace vgpu::VGPU_VARIANT
