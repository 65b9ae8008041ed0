// The one way to memory: every load and store of a kernel goes through the functions below, which
// check it, count it and then do it. Counting rules: README.md, "Counts".
//
// Compiled once per instruction set (isa/lanes.hpp), hence the namespace.
#pragma once

#include <cstdint>

#include "machine/access_fault.hpp"
#include "machine/block.hpp"
#include "machine/footprint.hpp"
#include "machine/warp.hpp"

namespace vgpu::VGPU_VARIANT {

struct What {
  MemoryKind kind;
  Intent intent;
};

/// Tells the observers; lanes that are off repeat one that is on.
VGPU_INLINE void notify(Warp& w, const Op* op, What what, const Addresses& addresses,
                        uint32_t size) {
  const Range range = range_of(addresses);
  notify_observers(
      {w, op, what.kind, what.intent, size, w.active, addresses.at, range.low, range.high});
}

// --- global memory ---

/// Sets bits in a map of touched sectors, 64 of them to a word.
VGPU_INLINE void touch_word(uint64_t* map, uint64_t word, uint64_t bits) {
  // Nearly always set already: a plain look saves the locked operation.
  if ((__atomic_load_n(map + word, __ATOMIC_RELAXED) & bits) != bits)
    __atomic_fetch_or(map + word, bits, __ATOMIC_RELAXED);
}
VGPU_INLINE void touch(uint64_t* map, uint64_t sector) {
  touch_word(map, sector >> 6, uint64_t{1} << (sector & 63));
}
/// The sectors from `first` to `last`, at most 64.
VGPU_INLINE void touch_run(uint64_t* map, uint64_t first, uint64_t last) {
  const uint64_t head = ~uint64_t{0} << (first & 63), tail = ~uint64_t{0} >> (63 - (last & 63));
  if (first >> 6 == last >> 6) [[likely]]
    return touch_word(map, first >> 6, head & tail);
  touch_word(map, first >> 6, head);
  touch_word(map, last >> 6, tail);
}
/// Of the sectors from `first` to `last`, those at the bits of `pattern`, the same in each word.
VGPU_INLINE void touch_pattern(uint64_t* map, uint64_t first, uint64_t last, uint64_t pattern) {
  const uint64_t end = last >> 6;
  uint64_t bits = pattern & ~uint64_t{0} << (first & 63);
  for (uint64_t word = first >> 6; word < end; ++word) {
    touch_word(map, word, bits);
    bits = pattern;
  }
  touch_word(map, end, bits & ~uint64_t{0} >> (63 - (last & 63)));
}

/// Each 2nd, 4th, ... 64th bit.
inline constexpr uint64_t kEvery[] = {0x5555555555555555u, 0x1111111111111111u, 0x0101010101010101u,
                                      0x0001000100010001u, 0x0000000100000001u, 1};

/// Touches the sectors of `lanes` addresses that are `step` bytes apart, the first at byte `begin`
/// of the allocation, and returns how many they are. No access reaches into a second sector.
VGPU_INLINE uint32_t touch_row(Warp& w, uint64_t* map, uint64_t begin, uint64_t step,
                               uint32_t lanes) {
  const uint64_t first = begin >> 5, last = (begin + (lanes - 1) * step) >> 5;
  if (step <= 32) {  // no sector is left out
    touch_run(map, first, last);
    return static_cast<uint32_t>(last - first) + 1;
  }
  if (step % 32 != 0) {
    for (uint64_t i = 0; i < lanes; ++i) touch(map, (begin + i * step) >> 5);
    return lanes;
  }
  const TouchedRow row{map, first, step / 32, lanes};
  if (w.touched == row) return lanes;
  w.touched = row;
  if (step <= 2048 && (step & (step - 1)) == 0) {
    const uint64_t pattern = kEvery[__builtin_ctzll(step) - 6] << (first & (row.step - 1));
    touch_pattern(map, first, last, pattern);
  } else {
    for (uint64_t i = 0; i < lanes; ++i) touch(map, first + i * row.step);
  }
  return lanes;
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
  Addresses sorted;
  const Addresses* ordered = &addresses;
  Changes changes = find_changes(addresses);
  if (!changes.ascending) {
    sorted = addresses;
    sort_addresses(sorted);
    ordered = &sorted;
    changes = find_changes(sorted);
  }
  const uint64_t* const at = ordered->at;
  uint64_t bits = 0;
  for (int i = 0; i < kLanes; ++i) bits |= at[i];
  const AccessCache& cache = w.caches[op->site];
  if (at[0] >= cache.begin && at[kLanes - 1] < cache.end && cache.end - at[kLanes - 1] >= size &&
      (bits & (size - 1)) == 0) [[likely]] {
    for (uint32_t left = changes.sectors; left != 0; left &= left - 1)
      touch(cache.touched, (at[__builtin_ctz(left)] - cache.begin) >> 5);
  } else {
    check_global_lanes(w, op, addresses, size, intent);
  }
  if (w.quick == 0) notify(w, op, {MemoryKind::Global, intent}, addresses, size);
  const Footprint f = count(changes);
  Traffic& traffic = w.site_counts[op->site].global;
  traffic.requests += 1;
  traffic.sectors += f.sectors;
  traffic.bytes += uint64_t{f.values} * size;
}

/// The same for 32 lanes that access `bytes` consecutive bytes together, or one value of `bytes`
/// bytes. False: take the way above.
VGPU_INLINE bool check_global_run(Warp& w, const Op* op, uint64_t address, uint32_t bytes,
                                  uint32_t alignment) {
  const AccessCache& cache = w.caches[op->site];
  if (address < cache.begin || address >= cache.end || cache.end - address < bytes ||
      (address & (alignment - 1)) != 0)
    return false;
  const uint64_t first = (address - cache.begin) >> 5,
                 last = (address + bytes - 1 - cache.begin) >> 5;
  touch_run(cache.touched, first, last);
  Traffic& count = w.site_counts[op->site].global;
  count.requests += 1;
  count.sectors += last - first + 1;
  count.bytes += bytes;
  return true;
}

/// Addresses of 32 lanes in rows of 32, 16 or 8: from lane to lane `step` bytes, from row to row
/// `distance`. Both are 0 or more: `first` is the lowest, whichever lane's it is.
struct Rows {
  uint64_t first, step, distance;
  uint32_t width;
};

VGPU_INLINE Rows make_rows(uint64_t first, uint64_t step, uint64_t distance, uint32_t width) {
  if (static_cast<int64_t>(step) < 0) {  // from the other end
    first += (width - 1) * step;
    step = -step;
  }
  if (static_cast<int64_t>(distance) < 0) {
    first += (kLanes / width - 1) * distance;
    distance = -distance;
  }
  return {first, step, distance, width};
}

/// Whether lanes may access memory from `low` to `high` bytes behind their address, in pieces of at
/// most `size` bytes, so that pieces are the same or do not overlap.
VGPU_INLINE bool rows_fit(const AccessCache& cache, const Rows& rows, int64_t low, int64_t high,
                          uint32_t size) {
  const uint64_t room = cache.end - cache.begin, length = (rows.width - 1) * rows.step,
                 start = rows.first + static_cast<uint64_t>(low),
                 reach = (kLanes / rows.width - 1) * rows.distance + length +
                         static_cast<uint64_t>(high - low);
  return rows.step <= room && rows.distance <= room && start >= cache.begin && start < cache.end &&
         cache.end - start >= reach && ((start | rows.step | rows.distance) & (size - 1)) == 0 &&
         (rows.step == 0 || rows.step >= size) &&
         (rows.distance == 0 || rows.distance >= length + size);
}

/// Touches what rows that begin at byte `begin` of the allocation reach; returns the number of
/// sectors.
VGPU_INLINE uint32_t touch_rows(Warp& w, uint64_t* map, uint64_t begin, const Rows& rows) {
  const uint64_t length = (rows.width - 1) * rows.step;
  uint32_t sectors = touch_row(w, map, begin, rows.step, rows.width);
  if (rows.distance == 0) return sectors;
  for (uint32_t lane = rows.width; lane < kLanes; lane += rows.width) {
    const bool shares_sector = (begin + length) >> 5 == (begin + rows.distance) >> 5;
    begin += rows.distance;
    sectors += touch_row(w, map, begin, rows.step, rows.width) - (shares_sector ? 1 : 0);
  }
  return sectors;
}

/// Distinct addresses.
VGPU_INLINE uint32_t count_values(const Rows& rows) {
  return (rows.step == 0 ? 1 : rows.width) * (rows.distance == 0 ? 1 : kLanes / rows.width);
}

/// As check_global_run, for rows of addresses.
VGPU_INLINE bool check_global_rows(Warp& w, const Op* op, const Rows& rows, uint32_t size) {
  const AccessCache& cache = w.caches[op->site];
  if (!rows_fit(cache, rows, 0, size, size)) return false;
  const uint32_t sectors = touch_rows(w, cache.touched, rows.first - cache.begin, rows);
  Traffic& traffic = w.site_counts[op->site].global;
  traffic.requests += 1;
  traffic.sectors += sectors;
  traffic.bytes += uint64_t{count_values(rows)} * size;
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
  if ((active & (active - 1)) == 0) return {1, 0};
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
