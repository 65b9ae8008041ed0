// Regions of a kernel that the host's compiler has made machine code of (program/region.hpp). As
// with runs (fused.cpp), the operation lies in front of the ordinary instructions: when all lanes
// are on and its addresses are as expected it does the work of all of them and jumps behind. Counts
// are the same both ways.
#include "isa/builtins.hpp"
#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/footprint.hpp"

namespace vgpu::VGPU_VARIANT {

namespace {

/// Where the lanes' words of a base lie. False: neither all in one place nor side by side, or not
/// in shared memory.
template <class Address>
VGPU_INLINE bool find_words(const Warp& w, const isa::RegionBase& base, const uint8_t*& words,
                            bool& is_row) {
  const Address* at = w.lanes<Address>(base.address);
  is_row = !is_uniform(at);
  if (is_row && (base.varies == 0 || !has_step(at, Address{sizeof(float)}))) return false;
  const uint64_t first = at[0] + static_cast<uint64_t>(int64_t{base.low});
  const auto size =
      static_cast<uint32_t>(base.high - base.low) + (is_row ? (kLanes - 1) * sizeof(float) : 0);
  words = w.shared + static_cast<int64_t>(at[0]);
  return first <= w.shared_bytes && size <= w.shared_bytes - first &&
         (at[0] & (base.alignment - 1)) == 0;
}

// A function of its own: a handler whose frame others can see does not jump to the next one.
[[gnu::noinline]] bool run_region(Warp& w, const Op* op) {
  const CompiledCode run = w.regions[op->c].run;
  if (w.active != w.quick || run == nullptr) return false;
  const auto* bases = reinterpret_cast<const isa::RegionBase*>(w.operands + op->extra);
  const uint8_t* shared[isa::kMostRegionBases];
  uint32_t rows = 0;
  for (uint32_t k = 0; k < op->a; ++k) {
    bool is_row = false;
    const bool fits = bases[k].wide != 0 ? find_words<uint64_t>(w, bases[k], shared[k], is_row)
                                         : find_words<uint32_t>(w, bases[k], shared[k], is_row);
    if (!fits) return false;
    rows |= static_cast<uint32_t>(is_row) << k;
  }
  call_compiled(run, w.registers, shared, rows);
  w.run_counts[op->d].executed += 1;
  return true;
}

}  // namespace

// Op: a = number of bases, c = index of the region, d = of the run, imm = distance behind it,
// operands[extra...] = RegionBase.
const Op* compiled_region(Warp& w, const Op* op);
const Op* compiled_region(Warp& w, const Op* op) {
  return next(w, run_region(w, op) ? op + op->imm : op + 1);
}

}  // namespace vgpu::VGPU_VARIANT
