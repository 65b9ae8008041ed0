// Loads and stores (PTX ISA 9.0, section 9.7.9, ld and st). machine/access.hpp checks and counts
// each access.
#include <cstdint>
#include <cstring>

#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/access.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using isa::MemoryForm;
using isa::MemorySpace;

template <class T>
VGPU_INLINE T load_value(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Register of element k: the only one, or one of several.
VGPU_INLINE uint32_t element(const Warp& w, const Op* op, uint32_t k) {
  return op->c == 1 ? op->d : w.operands[op->extra + k];
}

/// Where lane i's data lies on the host, for each space.
struct GlobalMemory {
  uint8_t* operator()(uint64_t address, int) const { return reinterpret_cast<uint8_t*>(address); }
};
struct SharedMemory {
  uint8_t* base;
  uint8_t* operator()(uint64_t address, int) const { return base + address; }
};
struct LocalMemory {
  uint8_t* base;
  uint64_t lane_bytes;
  uint8_t* operator()(uint64_t address, int lane) const {
    return base + static_cast<uint64_t>(lane) * lane_bytes + address;
  }
};

// Lanes that are off repeat an address of one that is on, so all can be read.
template <class Mem, class Reg, class Place>
VGPU_INLINE void load_elements(Warp& w, const Op* op, const Addresses& addresses, Place place) {
  for (uint32_t k = 0; k < op->c; ++k) {
    const uint32_t offset = element(w, op, k);
    if (offset == isa::kNone) continue;
    write_lanes<Reg>(w, offset, [&](int i) {
      return static_cast<Reg>(load_value<Mem>(place(addresses.at[i] + k * sizeof(Mem), i)));
    });
  }
}

template <class Mem, class Reg, class Place>
VGPU_INLINE void store_elements(Warp& w, const Op* op, const Addresses& addresses, Place place) {
  for (uint32_t k = 0; k < op->c; ++k) {
    const Reg* const s = w.lanes<Reg>(element(w, op, k));
    for (int i = 0; i < kLanes; ++i) {
      if ((w.active >> i & 1) == 0) continue;
      const Mem value = static_cast<Mem>(s[i]);
      std::memcpy(place(addresses.at[i] + k * sizeof(Mem), i), &value, sizeof value);
    }
  }
}

template <class Mem, class Reg, bool kStore, class Place>
VGPU_INLINE void transfer(Warp& w, const Op* op, const Addresses& addresses, Place place) {
  if constexpr (kStore)
    store_elements<Mem, Reg>(w, op, addresses, place);
  else
    load_elements<Mem, Reg>(w, op, addresses, place);
}

template <bool kStore>
inline constexpr Intent kIntent = kStore ? Intent::Store : Intent::Load;

// --- global: each way in calls the next one when it does not fit ---
template <class Mem, class Reg, bool kStore>
[[gnu::noinline]] void access_global(Warp& w, const Op* op) {
  Addresses addresses;
  collect_addresses(addresses, w.lanes<uint64_t>(op->a), op->imm, w.active);
  check_global(w, op, addresses, static_cast<uint32_t>(sizeof(Mem)) * op->c, kIntent<kStore>);
  transfer<Mem, Reg, kStore>(w, op, addresses, GlobalMemory{});
}
template <class Mem, class Reg, bool kStore>
const Op* any_global(Warp& w, const Op* op) {
  access_global<Mem, Reg, kStore>(w, op);
  return next(w, op + 1);
}

/// `kCount` registers side by side, memory at `address` and each `step` bytes further.
template <class Mem, uint32_t kCount, bool kStore, class Reg>
VGPU_INLINE void transfer_steps(Reg* r, uint64_t address, uint64_t step) {
#pragma GCC unroll 8
  for (uint32_t i = 0; i < kCount; ++i) {
    auto* const place = reinterpret_cast<Mem*>(address + i * step);
    if constexpr (kStore)
      *place = static_cast<Mem>(r[i]);
    else
      r[i] = static_cast<Reg>(*place);
  }
}

template <class Mem, class Reg, bool kStore, uint32_t kRow>
VGPU_INLINE bool transfer_rows(Warp& w, const Op* op) {
  const uint64_t* base = w.lanes<uint64_t>(op->a);
  const uint64_t first = base[0] + static_cast<uint64_t>(op->imm), step = base[1] - base[0],
                 distance = kRow < kLanes ? base[kRow % kLanes] - base[0] : 0;
  if (!check_global_rows(w, op, make_rows(first, step, distance, kRow),
                         static_cast<uint32_t>(sizeof(Mem)) * op->c))
    return false;
  for (uint32_t k = 0; k < op->c; ++k) {
    const uint32_t offset = element(w, op, k);
    if (offset == isa::kNone) continue;
    uint64_t address = first + k * sizeof(Mem);
    for (uint32_t lane = 0; lane < kLanes; lane += kRow, address += distance)
      transfer_steps<Mem, kRow, kStore>(w.lanes<Reg>(offset) + lane, address, step);
  }
  return true;
}

// All lanes on, in rows that are 16 or 8 wide.
template <class Mem, class Reg, bool kStore>
[[gnu::noinline]] const Op* global_rows(Warp& w, const Op* op) {
  if (w.active == w.quick) {
    const uint32_t width = row_width(w.lanes<uint64_t>(op->a));
    if ((width == 16 && transfer_rows<Mem, Reg, kStore, 16>(w, op)) ||
        (width == 8 && transfer_rows<Mem, Reg, kStore, 8>(w, op)))
      return next(w, op + 1);
  }
  return any_global<Mem, Reg, kStore>(w, op);
}

// All lanes on and equally far apart.
template <class Mem, class Reg, bool kStore>
[[gnu::noinline]] const Op* global_steps(Warp& w, const Op* op) {
  const uint64_t* base = w.lanes<uint64_t>(op->a);
  if (w.active == w.quick && has_step(base, base[1] - base[0]) &&
      transfer_rows<Mem, Reg, kStore, kLanes>(w, op))
    return next(w, op + 1);
  return global_rows<Mem, Reg, kStore>(w, op);
}

// All lanes on, one element each: consecutive lanes at consecutive addresses, or all at the same
// one.
template <class Mem, class Reg, bool kStore>
const Op* global(Warp& w, const Op* op) {
  const uint64_t* base = w.lanes<uint64_t>(op->a);
  const uint64_t step = base[1] - base[0];
  if (w.active == w.quick && op->c == 1 && (step == sizeof(Mem) || (!kStore && step == 0)) &&
      has_step(base, step)) [[likely]] {
    const uint64_t address = base[0] + static_cast<uint64_t>(op->imm);
    Reg* const r = w.lanes<Reg>(op->d);
    if (step == sizeof(Mem)) {
      if (check_global_run(w, op, address, kLanes * sizeof(Mem), sizeof(Mem))) {
        auto* const memory = reinterpret_cast<Mem*>(address);
        if constexpr (kStore) {
          VGPU_LANES(i) memory[i] = static_cast<Mem>(r[i]);
        } else {
          VGPU_LANES(i) r[i] = static_cast<Reg>(memory[i]);
        }
        return next(w, op + 1);
      }
    } else if (check_global_run(w, op, address, sizeof(Mem), sizeof(Mem))) {
      const auto value = static_cast<Reg>(*reinterpret_cast<const Mem*>(address));
      VGPU_LANES(i) r[i] = value;
      return next(w, op + 1);
    }
  }
  return global_steps<Mem, Reg, kStore>(w, op);
}

// --- shared ---
template <class Mem, class Reg, class Address, bool kStore>
[[gnu::noinline]] void any_shared(Warp& w, const Op* op) {
  Addresses addresses;
  collect_addresses(addresses, w.lanes<Address>(op->a), op->imm, w.active);
  check_shared(w, op, addresses, static_cast<uint32_t>(sizeof(Mem)) * op->c, kIntent<kStore>);
  transfer<Mem, Reg, kStore>(w, op, addresses, SharedMemory{w.shared});
}

template <class Mem, class Reg, class Address, bool kStore>
const Op* shared(Warp& w, const Op* op) {
  const Address* base = w.lanes<Address>(op->a);
  const auto address = static_cast<uint64_t>(static_cast<int64_t>(base[0]) + op->imm);
  // Up to 4 bytes a lane, all lanes on, the same or consecutive addresses: one wavefront.
  if (w.active == w.quick && op->c == 1 && sizeof(Mem) <= 4 && address % sizeof(Mem) == 0)
      [[likely]] {
    const auto step = static_cast<Address>(base[1] - base[0]);
    Reg* const r = w.lanes<Reg>(op->d);
    SharedTraffic& count = w.site_counts[op->site].shared;
    if constexpr (!kStore) {
      if (step == 0 && address < w.shared_bytes && has_step(base, Address{0})) {
        const auto value = static_cast<Reg>(*reinterpret_cast<const Mem*>(w.shared + address));
        VGPU_LANES(i) r[i] = value;
        count.requests += 1;
        count.wavefronts += 1;
        return next(w, op + 1);
      }
    }
    if (step == sizeof(Mem) && address + kLanes * sizeof(Mem) <= w.shared_bytes &&
        address < w.shared_bytes && has_step(base, static_cast<Address>(sizeof(Mem)))) {
      auto* const memory = reinterpret_cast<Mem*>(w.shared + address);
      if constexpr (kStore) {
        VGPU_LANES(i) memory[i] = static_cast<Mem>(r[i]);
      } else {
        VGPU_LANES(i) r[i] = static_cast<Reg>(memory[i]);
      }
      count.requests += 1;
      count.wavefronts += 1;
      return next(w, op + 1);
    }
  }
  any_shared<Mem, Reg, Address, kStore>(w, op);
  return next(w, op + 1);
}

// --- local ---
template <class Mem, class Reg, bool kStore>
[[gnu::noinline]] void any_local(Warp& w, const Op* op) {
  Addresses addresses;
  collect_addresses(addresses, w.lanes<uint64_t>(op->a), op->imm, w.active);
  check_local(w, op, addresses, static_cast<uint32_t>(sizeof(Mem)) * op->c, kIntent<kStore>);
  transfer<Mem, Reg, kStore>(w, op, addresses, LocalMemory{w.local, w.local_bytes});
}

template <class Mem, class Reg, bool kStore>
const Op* local(Warp& w, const Op* op) {
  any_local<Mem, Reg, kStore>(w, op);
  return next(w, op + 1);
}

// --- generic: each lane's address says which space it means ---
template <class Mem, class Reg, bool kStore>
[[gnu::noinline]] void any_generic(Warp& w, const Op* op) {
  const uint32_t all = w.active;
  const uint64_t* base = w.lanes<uint64_t>(op->a);
  // Copied: a load may overwrite its own address register.
  uint64_t window[kLanes];
  for (int i = 0; i < kLanes; ++i)
    window[i] = (base[i] + static_cast<uint64_t>(op->imm)) & kWindowMask;
  Addresses addresses;
  for (uint32_t left = all; left != 0;) {
    const uint64_t here = window[__builtin_ctz(left)];
    uint32_t lanes = 0;
    for (int i = 0; i < kLanes; ++i) lanes |= static_cast<uint32_t>(window[i] == here) << i;
    w.active = lanes & left;
    left &= ~lanes;
    const auto offset = static_cast<int64_t>(static_cast<uint64_t>(op->imm) - here);
    const uint32_t size = static_cast<uint32_t>(sizeof(Mem)) * op->c;
    if (here == kSharedWindow) {
      collect_addresses(addresses, base, offset, w.active);
      check_shared(w, op, addresses, size, kIntent<kStore>);
      transfer<Mem, Reg, kStore>(w, op, addresses, SharedMemory{w.shared});
    } else if (here == kLocalWindow) {
      collect_addresses(addresses, base, offset, w.active);
      check_local(w, op, addresses, size, kIntent<kStore>);
      transfer<Mem, Reg, kStore>(w, op, addresses, LocalMemory{w.local, w.local_bytes});
    } else {
      collect_addresses(addresses, base, op->imm, w.active);
      check_global(w, op, addresses, size, kIntent<kStore>);
      transfer<Mem, Reg, kStore>(w, op, addresses, GlobalMemory{});
    }
  }
  w.active = all;
}

template <class Mem, class Reg, bool kStore>
const Op* generic(Warp& w, const Op* op) {
  const uint64_t* base = w.lanes<uint64_t>(op->a);
  uint64_t windows = 0;
  for (int i = 0; i < kLanes; ++i) windows |= base[i];
  if (w.active == w.quick && (windows & kWindowMask) == 0) return global<Mem, Reg, kStore>(w, op);
  any_generic<Mem, Reg, kStore>(w, op);
  return next(w, op + 1);
}

// --- vectors by strong accesses: a GPU moves a lane's elements at once, and programs rely on it
// when a status and a value travel together (CUB's look-back). Aligned moves of 16 bytes are one
// access of every processor with AVX and of ARM's since 8.4.
using Whole = uint64_t __attribute__((vector_size(16)));

template <class T>
VGPU_INLINE void move_once(uint8_t* to, const uint8_t* from) {
  *reinterpret_cast<volatile T*>(to) = *reinterpret_cast<const volatile T*>(from);
}

VGPU_INLINE void move_once(uint8_t* to, const uint8_t* from, uint32_t bytes) {
  if (bytes == sizeof(Whole))
    move_once<Whole>(to, from);
  else if (bytes == sizeof(uint64_t))
    move_once<uint64_t>(to, from);
  else if (bytes == sizeof(uint32_t))
    move_once<uint32_t>(to, from);
  else
    move_once<uint16_t>(to, from);
}

template <class Mem, class Reg, bool kStore>
[[gnu::noinline]] void any_whole(Warp& w, const Op* op) {
  const uint32_t bytes = static_cast<uint32_t>(sizeof(Mem)) * op->c;
  Addresses addresses;
  collect_addresses(addresses, w.lanes<uint64_t>(op->a), op->imm, w.active);
  check_global(w, op, addresses, bytes, kIntent<kStore>);
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int lane = __builtin_ctz(left);
    alignas(Whole) uint8_t elements[sizeof(Whole)];
    auto* const place = reinterpret_cast<uint8_t*>(addresses.at[lane]);
    if constexpr (!kStore) move_once(elements, place, bytes);
    for (uint32_t k = 0; k < op->c; ++k) {
      const uint32_t offset = element(w, op, k);
      if (offset == isa::kNone) continue;
      Reg& r = w.lanes<Reg>(offset)[lane];
      const auto value = static_cast<Mem>(r);
      if constexpr (kStore)
        std::memcpy(elements + k * sizeof(Mem), &value, sizeof value);
      else
        r = static_cast<Reg>(load_value<Mem>(elements + k * sizeof(Mem)));
    }
    if constexpr (kStore) move_once(place, elements, bytes);
  }
}

template <class Mem, class Reg, bool kStore>
const Op* whole(Warp& w, const Op* op) {
  const uint64_t* base = w.lanes<uint64_t>(op->a);
  uint64_t windows = 0;
  for (uint32_t left = w.active; left != 0; left &= left - 1)
    windows |= base[__builtin_ctz(left)] + static_cast<uint64_t>(op->imm);
  if ((windows & kWindowMask) == 0)
    any_whole<Mem, Reg, kStore>(w, op);
  else
    any_generic<Mem, Reg, kStore>(w, op);  // memory of this block alone
  return next(w, op + 1);
}

// --- parameters of device functions: words of all lanes side by side (isa/call.cpp) ---
template <class Mem, class Reg, bool kStore>
const Op* function_param(Warp& w, const Op* op) {
  for (uint32_t k = 0; k < op->c; ++k) {
    const auto at = static_cast<uint32_t>(op->imm) + k * static_cast<uint32_t>(sizeof(Mem));
    Reg* const r = w.lanes<Reg>(element(w, op, k));
    for (int i = 0; i < kLanes; ++i) {
      if ((w.active >> i & 1) == 0) continue;
      uint8_t bytes[8];
      auto value = static_cast<Mem>(r[i]);
      if constexpr (kStore) std::memcpy(bytes, &value, sizeof value);
      for (uint32_t byte = 0; byte < sizeof(Mem); ++byte) {
        uint8_t* const place = w.registers + op->a + (at + byte) / 4 * 128 +
                               static_cast<uint32_t>(i) * 4 + (at + byte) % 4;
        if constexpr (kStore)
          *place = bytes[byte];
        else
          bytes[byte] = *place;
      }
      if constexpr (!kStore) {
        std::memcpy(&value, bytes, sizeof value);
        r[i] = static_cast<Reg>(value);
      }
    }
  }
  return next(w, op + 1);
}

template <class Mem, class Reg, bool kStore>
Handler by_space(const MemoryForm& form) {
  const bool in_global = form.space == MemorySpace::Global || form.space == MemorySpace::Generic;
  if (form.whole && in_global) return whole<Mem, Reg, kStore>;
  switch (form.space) {
    case MemorySpace::Constant:
    case MemorySpace::Global:
      return global<Mem, Reg, kStore>;
    case MemorySpace::Shared:
      return form.wide_address ? shared<Mem, Reg, uint64_t, kStore>
                               : shared<Mem, Reg, uint32_t, kStore>;
    case MemorySpace::Local:
      return local<Mem, Reg, kStore>;
    case MemorySpace::Generic:
      return generic<Mem, Reg, kStore>;
    case MemorySpace::FunctionParam:
      return function_param<Mem, Reg, kStore>;
  }
  return nullptr;
}

template <class Unsigned, class Signed, bool kStore>
Handler by_register(const MemoryForm& form) {
  const uint32_t width = form.register_bytes;
  if constexpr (!kStore) {
    if (form.sign_extend && width > sizeof(Signed)) {
      if (width == 2) return by_space<Signed, uint16_t, kStore>(form);
      if (width == 4) return by_space<Signed, uint32_t, kStore>(form);
      if (width == 8) return by_space<Signed, uint64_t, kStore>(form);
    }
  }
  if (width == 2) return by_space<Unsigned, uint16_t, kStore>(form);
  if (width == 4) return by_space<Unsigned, uint32_t, kStore>(form);
  if (width == 8) return by_space<Unsigned, uint64_t, kStore>(form);
  return nullptr;
}

template <bool kStore>
Handler by_size(const MemoryForm& form) {
  if (form.register_bytes < form.bytes) return nullptr;
  switch (form.bytes) {
    case 1:
      return by_register<uint8_t, int8_t, kStore>(form);
    case 2:
      return by_register<uint16_t, int16_t, kStore>(form);
    case 4:
      return by_register<uint32_t, int32_t, kStore>(form);
    case 8:
      return by_register<uint64_t, int64_t, kStore>(form);
    default:
      return nullptr;
  }
}

}  // namespace

Handler find_load(const MemoryForm& form);
Handler find_load(const MemoryForm& form) {
  return by_size<false>(form);
}
Handler find_store(const MemoryForm& form);
Handler find_store(const MemoryForm& form) {
  return by_size<true>(form);
}

}  // namespace vgpu::VGPU_VARIANT
