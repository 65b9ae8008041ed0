// What the addresses of 32 lanes have in common: their step, their range, how many of them and how
// many 32-byte sectors are distinct. The arithmetic behind the counts of machine/access.hpp.
//
// Compiled once per instruction set (isa/lanes.hpp), hence the namespace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "machine/variant.hpp"
#include "machine/vector.hpp"
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

/// Whether each lane's address is `step` above that of the lane before it.
template <class Address>
VGPU_INLINE bool has_step(const Address* base, Address step) {
  using V = VectorOf<Address>;
  constexpr int kEach = kVectorBytes / static_cast<int>(sizeof(Address));
  V wanted = base[0] - V{}, differs{};
  for (int bit = 1; bit < kEach; bit *= 2) {  // + lane * step: there is no cheap product of 64 bits
    V lanes{};
    for (int i = 0; i < kEach; ++i) lanes[i] = (i & bit) != 0 ? ~Address{0} : Address{0};
    wanted += lanes & (static_cast<Address>(step * static_cast<Address>(bit)) - V{});
  }
  for (int i = 0; i < kLanes; i += kEach) {
    differs |= load_vector<V>(base + i) ^ wanted;
    wanted += static_cast<Address>(step * kEach) - V{};
  }
  return is_zero(differs);
}

/// The width of the rows in which the lanes' addresses lie: 16 or 8 lanes, as in blocks of threads
/// that are so wide. One step leads from lane to lane within every row, one distance from row to
/// row. 0: they do not lie so.
VGPU_INLINE uint32_t row_width(const uint64_t* base) {
  using V = VectorOf<uint64_t>;
  const uint64_t step = base[1] - base[0];
  uint32_t breaks = 0;  // after which lanes another step follows
  visit_neighbours(base, base[kLanes - 1] + step, [&](int first, V here, V next) {
    breaks |= sign_bits((V)(next - here != step)) << first;
  });
  if (breaks == 1u << 15) return 16;
  const uint64_t distance = base[8] - base[0];
  const bool even = base[16] - base[8] == distance && base[24] - base[16] == distance;
  return breaks == 0x00808080u && even ? 8 : 0;
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

struct Range {
  uint64_t low, high;  // smallest and largest address
  uint64_t bits;       // all address bits together, for alignment
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

// --- sorting 32 numbers without branches: a bitonic network (Batcher 1968) on vector registers ---

using Keys = VectorOf<uint32_t>;
inline constexpr int kKeys = kVectorBytes / 4;  // in a vector

template <int kDistance, size_t... I>
VGPU_INLINE Keys partners(Keys v, std::index_sequence<I...>) {
  return __builtin_shufflevector(v, v, (I ^ size_t{kDistance})...);
}
/// The lower numbers where a run that ascends, or one that does not, wants them.
template <int kRun, int kDistance, size_t... I>
VGPU_INLINE Keys ordered(Keys low, Keys high, std::index_sequence<I...>) {
  constexpr size_t kHigh = size_t{kKeys};
  return __builtin_shufflevector(low, high,
                                 (((I & kDistance) == 0) == ((I & kRun) == 0) ? I : I + kHigh)...);
}

/// One step of the network: numbers `kDistance` apart are put in order, ascending where bit `kRun`
/// of the position is 0.
template <int kRun, int kDistance>
VGPU_INLINE void exchange(Keys* v) {
  constexpr auto kEach = std::make_index_sequence<size_t{kKeys}>{};
  for (int n = 0; n < kVectors; ++n) {
    const bool ascends = (n * kKeys & kRun) == 0;
    if constexpr (kDistance >= kKeys) {
      const int other = n ^ (kDistance / kKeys);
      if (other < n) continue;
      const Keys a = v[n], b = v[other], low = a < b ? a : b, high = a < b ? b : a;
      v[n] = ascends ? low : high;
      v[other] = ascends ? high : low;
    } else {
      const Keys a = v[n], b = partners<kDistance>(a, kEach), low = a < b ? a : b,
                 high = a < b ? b : a;
      v[n] = ascends ? ordered<kRun, kDistance>(low, high, kEach)
                     : ordered<kRun, kDistance>(high, low, kEach);
    }
  }
  if constexpr (kDistance > 1) exchange<kRun, kDistance / 2>(v);
}

VGPU_INLINE void sort_keys(uint32_t* keys) {
  Keys v[kVectors];
  std::memcpy(v, keys, sizeof v);
  exchange<2, 1>(v);
  exchange<4, 2>(v);
  exchange<8, 4>(v);
  exchange<16, 8>(v);
  exchange<32, 16>(v);
  std::memcpy(keys, v, sizeof v);
}

/// Any order, more than 2 GB apart.
VGPU_SLOW void sort_far_addresses(Addresses& addresses) {
  uint64_t* const at = addresses.at;
  for (int i = 1; i < kLanes; ++i) {
    const uint64_t value = at[i];
    int j = i;
    for (; j > 0 && at[j - 1] > value; --j) at[j] = at[j - 1];
    at[j] = value;
  }
}

VGPU_OUTLINE void sort_addresses(Addresses& addresses) {
  const uint64_t origin = addresses.at[0] - 0x80000000u;
  alignas(64) uint32_t keys[kLanes];
  uint64_t distance = 0;
  for (int i = 0; i < kLanes; ++i) {
    distance |= addresses.at[i] - origin;
    keys[i] = static_cast<uint32_t>(addresses.at[i] - origin);
  }
  if (distance >> 32 != 0) return sort_far_addresses(addresses);
  sort_keys(keys);
  for (int i = 0; i < kLanes; ++i) addresses.at[i] = origin + keys[i];
}

// --- distinct addresses and sectors ---

/// Lanes after which another address comes, or another 32-byte sector, one bit each; lane 31
/// always.
struct Changes {
  uint32_t values = 0, sectors = 0;
  bool ascending = true;
};

VGPU_INLINE Changes find_changes(const Addresses& addresses) {
  using V = VectorOf<uint64_t>;
  Changes changes;
  V descends{};
  visit_neighbours(addresses.at, ~uint64_t{0}, [&](int first, V here, V next) {
    changes.values |= sign_bits((V)(here != next)) << first;
    changes.sectors |= sign_bits((V)(here >> 5 != next >> 5)) << first;
    descends |= (V)(here > next);
  });
  changes.ascending = is_zero(descends);
  return changes;
}

struct Footprint {
  uint32_t sectors = 0, values = 0;  // distinct 32-byte sectors, distinct addresses
};
VGPU_INLINE Footprint count(const Changes& changes) {
  return {static_cast<uint32_t>(__builtin_popcount(changes.sectors)),
          static_cast<uint32_t>(__builtin_popcount(changes.values))};
}

/// Counts distinct addresses and sectors. Aligned accesses of one size either coincide or do not
/// overlap.
VGPU_INLINE Footprint footprint(const Addresses& addresses) {
  Changes changes = find_changes(addresses);
  if (!changes.ascending) {
    Addresses sorted = addresses;
    sort_addresses(sorted);
    changes = find_changes(sorted);
  }
  return count(changes);
}

/// The quarter of L1, 0 to 3, that looks up the line of 128 bytes at `address`: two sums, modulo 2,
/// of address bits. Measured on an H200, bit by bit for bits 7 to 35: line B lies in the quarter of
/// line A when A's lanes split around an atomic update of B (machine/access_atomic.hpp).
VGPU_INLINE uint32_t l1_quarter(uint64_t address) {
  constexpr uint64_t kLow = 0xaf7bd5a80, kHigh = 0x75d6aed00;
  return static_cast<uint32_t>(__builtin_parityll(address & kLow)) |
         static_cast<uint32_t>(__builtin_parityll(address & kHigh)) << 1;
}

}  // namespace vgpu::VGPU_VARIANT
