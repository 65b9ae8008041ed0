// Checks and counts of the accesses that serve tensor cores: matrices of 8 x 8 16-bit elements
// (ldmatrix) and asynchronous copies from global to shared memory (cp.async). Part of the funnel of
// access.hpp.
#pragma once

#include "machine/access.hpp"

namespace vgpu::VGPU_VARIANT {

/// Wavefronts of 8 rows of 16 aligned bytes: such a row fills 4 neighbouring banks, so a wavefront
/// serves rows in different eighths of the 128 bytes that the banks are wide.
VGPU_INLINE uint32_t row_wavefronts(const uint64_t* rows) {
  uint32_t eighths = 0;
  for (int i = 0; i < 8; ++i) eighths |= 1u << (rows[i] >> 4 & 7);
  if (eighths == 0xFF) return 1;
  uint32_t count[8] = {}, most = 0;
  for (int i = 0; i < 8; ++i) {
    bool is_new = true;
    for (int j = 0; j < i; ++j) is_new &= rows[i] != rows[j];
    const uint32_t here = count[rows[i] >> 4 & 7] += is_new ? 1 : 0;
    most = here > most ? here : most;
  }
  return most;
}

/// Checks the rows of 1, 2 or 4 matrices, 16 bytes each, rows.at[8 m + r] being row r of matrix m,
/// and counts one request. Without conflicts a matrix takes one wavefront.
VGPU_OUTLINE void check_matrix_rows(Warp& w, const Op* op, const Addresses& rows, uint32_t matrices,
                                    Intent intent = Intent::Load) {
  constexpr uint32_t kRowBytes = 16;
  uint32_t wavefronts = 0;
  for (uint32_t i = 0; i < 8 * matrices; ++i) {
    const uint64_t a = rows.at[i];
    if (a > w.shared_bytes || a + kRowBytes > w.shared_bytes || a % kRowBytes != 0) [[unlikely]]
      bad_access(w, op, static_cast<int>(i), {MemoryKind::Shared, intent, a, kRowBytes});
  }
  if (w.quick == 0) {
    const uint32_t lanes = kFullMask >> (kLanes - 8 * static_cast<int>(matrices));
    Addresses every = rows;
    for (uint32_t i = 8 * matrices; i < kLanes; ++i) every.at[i] = rows.at[0];
    const Range range = range_of(every);
    notify_observers(
        {w, op, MemoryKind::Shared, intent, kRowBytes, lanes, every.at, range.low, range.high});
  }
  for (uint32_t m = 0; m < matrices; ++m) wavefronts += row_wavefronts(rows.at + size_t{8} * m);
  SharedTraffic& count = w.site_counts[op->site].shared;
  count.requests += 1;
  count.wavefronts += wavefronts;
  count.conflicts += wavefronts - matrices;
}

/// Sectors of a copy past L1: lanes 2i and 2i + 1 are served together when they read one sector and
/// write to one line of 128 bytes; all others apart.
VGPU_INLINE uint32_t pair_sectors(const Addresses& from, const Addresses& to, uint32_t active) {
  uint32_t sectors = 0;
  for (int i = 0; i < kLanes; i += 2) {
    const bool same = (active >> i & 3) == 3 && from.at[i] >> 5 == from.at[i + 1] >> 5 &&
                      to.at[i] >> 7 == to.at[i + 1] >> 7;
    sectors += (active >> i & 1) + (active >> i >> 1 & 1) - (same ? 1 : 0);
  }
  return sectors;
}

/// Checks what the active lanes of a cp.async read: the first present[i] (not 0) of `bytes` bytes.
/// They count as a request for all of them. `to`: where the copies go.
VGPU_OUTLINE void check_async_source(Warp& w, const Op* op, const Addresses& from,
                                     const Addresses& to, const uint32_t* present, uint32_t bytes,
                                     bool through_l1) {
  Traffic& count = w.site_counts[op->site].global;
  const Traffic before = count;
  bool whole = true;
  for (int i = 0; i < kLanes; ++i) whole &= (w.active >> i & 1) == 0 || present[i] == bytes;
  if (whole) {
    check_global(w, op, from, bytes, Intent::Load);
  } else {
    Addresses last = from;
    for (int i = 0; i < kLanes; ++i) {
      if ((w.active >> i & 1) == 0) continue;
      if (from.at[i] % bytes != 0)
        bad_access(w, op, i, {MemoryKind::Global, Intent::Load, from.at[i], bytes});
      last.at[i] += present[i] - 1;
    }
    check_global_lanes(w, op, from, 1, Intent::Load);
    check_global_lanes(w, op, last, 1, Intent::Load);
    const Footprint f = footprint(from);
    count.requests += 1;
    count.sectors += f.sectors;
    count.bytes += uint64_t{f.values} * bytes;
  }
  if (!through_l1) count.sectors = before.sectors + pair_sectors(from, to, w.active);
}

/// Turns that the `waiting` lanes of a group take, whose pieces fill 128 bytes at most. A lane
/// waits while one before it waits for a piece at its own place in a line or on its own banks.
VGPU_INLINE uint32_t async_turns(const Addresses& to, const Addresses& from, uint32_t waiting,
                                 uint32_t readers, uint32_t bytes) {
  const uint32_t places = 128 / bytes;
  uint32_t turns = 0;
  for (; waiting != 0; ++turns) {
    uint32_t sources = 0, banks = 0, served = 0;
    for (uint32_t left = waiting; left != 0; left &= left - 1) {
      const int i = __builtin_ctz(left);
      const uint32_t source = (readers >> i & 1) << from.at[i] / bytes % places;
      const uint32_t bank = 1u << to.at[i] / bytes % places;
      if ((sources & source) == 0 && (banks & bank) == 0) served |= 1u << i;
      sources |= source;
      banks |= bank;
    }
    waiting &= ~served;
  }
  return turns;
}

/// Wavefronts in which copies through L1 are written. The quarters of L1 each look up one line of
/// 128 bytes at a time, the first that a waiting lane wants of it; the lanes that these lines serve
/// go in groups as for stores. `readers`: the lanes that have a source; the others, which need no
/// line, go before them.
/// `origin`: where the source's allocation starts, from which its addresses count.
VGPU_OUTLINE Wavefronts async_wavefronts(const Addresses& to, const Addresses& from,
                                         uint64_t origin, uint32_t active, uint32_t readers,
                                         uint32_t bytes) {
  Wavefronts w;
  const int group = kLanes * 4 / static_cast<int>(bytes);
  for (uint32_t waiting = active; waiting != 0;) {
    uint64_t lines[4];
    uint32_t open = 0, found = waiting & ~readers;
    for (uint32_t left = found == 0 ? waiting : 0; left != 0; left &= left - 1) {
      const int i = __builtin_ctz(left);
      const uint64_t line = from.at[i] >> 7;
      const uint32_t quarter = l1_quarter(from.at[i] - origin);
      if ((open >> quarter & 1) == 0) lines[quarter] = line;
      open |= 1u << quarter;
      if (lines[quarter] == line) found |= 1u << i;
    }
    for (int first = 0; first < kLanes; first += group) {
      const uint32_t mask = found & (kFullMask >> (kLanes - group)) << first;
      if (mask == 0) continue;
      const uint32_t turns = async_turns(to, from, mask, readers, bytes);
      w.total += turns;
      w.conflicts += turns - 1;
    }
    waiting &= ~found;
  }
  return w;
}

/// Checks where the active lanes of a cp.async write. Copies past L1 (.cg) arrive sector by sector
/// and count no conflicts.
VGPU_OUTLINE void check_async_destination(Warp& w, const Op* op, const Addresses& to,
                                          const Addresses& from, uint32_t readers, uint32_t bytes,
                                          bool through_l1) {
  const Range range = range_of(to);
  if (range.high > w.shared_bytes || range.high + bytes > w.shared_bytes ||
      (range.bits & (bytes - 1)) != 0) [[unlikely]] {
    for (int i = 0; i < kLanes; ++i) {
      const uint64_t a = to.at[i];
      if (a > w.shared_bytes || a + bytes > w.shared_bytes || a % bytes != 0)
        bad_access(w, op, i, {MemoryKind::Shared, Intent::Store, a, bytes});
    }
  }
  if (w.quick == 0) notify(w, op, {MemoryKind::Shared, Intent::Store}, to, bytes);
  const Wavefronts waves =
      through_l1 ? async_wavefronts(to, from, w.caches[op->site].begin, w.active, readers, bytes)
                 : Wavefronts{bytes / 4, 0};
  SharedTraffic& count = w.site_counts[op->site].shared;
  count.requests += 1;
  count.wavefronts += waves.total;
  count.conflicts += waves.conflicts;
}

}  // namespace vgpu::VGPU_VARIANT
