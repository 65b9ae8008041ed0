// How an operation is written once for 32 lanes. The loops below are plain C++ that the compiler
// turns into vector instructions; each isa/*.cpp is compiled for several instruction sets (see
// CMakeLists.txt).
#pragma once

#include <cstdint>

#include "machine/variant.hpp"
#include "machine/warp.hpp"

namespace vgpu::VGPU_VARIANT {

#if defined(__clang__)
#define VGPU_LANES(i) _Pragma("clang loop vectorize(assume_safety)") for (int i = 0; i < 32; ++i)
#else
#define VGPU_LANES(i) _Pragma("GCC ivdep") for (int i = 0; i < 32; ++i)
#endif

/// Goes on with `op`. Optimised builds chain handlers by tail calls; others return to the loop in
/// Warp::run, because a compiler that does not eliminate the calls would let the stack grow.
[[gnu::always_inline]] inline const Op* next(Warp& w, const Op* op) {
#ifdef VGPU_TAIL_CALLS
  return op->run(w, op);
#else
  (void)w;
  return op;
#endif
}

/// The same when `op` may be nullptr.
[[gnu::always_inline]] inline const Op* next_if_any(Warp& w, const Op* op) {
  return op == nullptr ? nullptr : next(w, op);
}

/// d[i] = value(i) for the active lanes. A destination may be one of the sources, in the same lane.
template <class D, class F>
[[gnu::always_inline]] inline void write_lanes(Warp& w, uint32_t offset, F value) {
  D* const d = w.lanes<D>(offset);
  if (w.active == kFullMask) [[likely]] {
    VGPU_LANES(i) d[i] = value(i);
  } else {
    const uint32_t active = w.active;
    VGPU_LANES(i) d[i] = (active >> i & 1) != 0 ? static_cast<D>(value(i)) : d[i];
  }
}

/// Bytes that are 0 or 1 -> one bit per lane.
[[gnu::always_inline]] inline uint32_t pack_lanes(const uint8_t* truth) {
  uint32_t bits = 0;
  for (int chunk = 0; chunk < 4; ++chunk) {
    uint64_t eight = 0;
    __builtin_memcpy(&eight, truth + chunk * 8, 8);
    // Gathers the lowest bit of eight bytes in the top byte.
    bits |= static_cast<uint32_t>((eight * 0x0102040810204080u) >> 56) << (chunk * 8);
  }
  return bits;
}

/// One bit per lane: condition(i) for all 32 lanes, active or not.
template <class F>
[[gnu::always_inline]] inline uint32_t test_lanes(F condition) {
  alignas(64) uint8_t truth[32];
  VGPU_LANES(i) truth[i] = condition(i) ? 1 : 0;
  return pack_lanes(truth);
}

/// Predicate `offset` = bits for the active lanes.
[[gnu::always_inline]] inline void write_predicate(Warp& w, uint32_t offset, uint32_t bits) {
  uint32_t& p = w.predicate(offset);
  p = (p & ~w.active) | (bits & w.active);
}

}  // namespace vgpu::VGPU_VARIANT
