// Handlers made from a scalar function: map2<add<int>, int, int, int> applies it lane by lane.
#pragma once

#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "isa/rounding.hpp"

namespace vgpu::VGPU_VARIANT {

template <auto F, class D, class A, Rounding R = Rounding::Nearest>
const Op* map1(Warp& w, const Op* op) {
  const A* a = w.lanes<A>(op->a);
  {
    [[maybe_unused]] const RoundingMode<R> mode{};
    write_lanes<D>(w, op->d, [&](int i) { return F(a[i]); });
  }
  return next(w, op + 1);
}

template <auto F, class D, class A, class B, Rounding R = Rounding::Nearest>
const Op* map2(Warp& w, const Op* op) {
  const A* a = w.lanes<A>(op->a);
  const B* b = w.lanes<B>(op->b);
  {
    [[maybe_unused]] const RoundingMode<R> mode{};
    write_lanes<D>(w, op->d, [&](int i) { return F(a[i], b[i]); });
  }
  return next(w, op + 1);
}

template <auto F, class D, class A, class B, class C, Rounding R = Rounding::Nearest>
const Op* map3(Warp& w, const Op* op) {
  const A* a = w.lanes<A>(op->a);
  const B* b = w.lanes<B>(op->b);
  const C* c = w.lanes<C>(op->c);
  {
    [[maybe_unused]] const RoundingMode<R> mode{};
    write_lanes<D>(w, op->d, [&](int i) { return F(a[i], b[i], c[i]); });
  }
  return next(w, op + 1);
}

}  // namespace vgpu::VGPU_VARIANT
