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

/// One bit per lane: condition(i) for all 32 lanes, active or not.
template <class F>
[[gnu::always_inline]] inline uint32_t test_lanes(F condition) {
  uint32_t bits = 0;
  VGPU_LANES(i) bits |= condition(i) ? uint32_t{1} << i : 0;
  return bits;
}

/// Predicate `offset` = bits for the active lanes.
[[gnu::always_inline]] inline void write_predicate(Warp& w, uint32_t offset, uint32_t bits) {
  uint32_t& p = w.predicate(offset);
  p = (p & ~w.active) | (bits & w.active);
}

}  // namespace vgpu::VGPU_VARIANT
