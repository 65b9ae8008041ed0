// Runs of multiply-adds whose one factor comes from shared memory and is the same for all lanes:
// the inner loops of attention and matrix products. A run is an operation in front of its ordinary
// instructions. When all lanes are on and share one address it does the work of all of them and
// jumps behind; otherwise they execute as usual. Counts are the same both ways (Kernel::runs).
#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/observer.hpp"
#include "machine/vector.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using isa::FusedStep;

template <class Address>
[[gnu::always_inline]] inline bool same_address(const Address* base) {
  Address differs = 0;
  for (int i = 0; i < 32; ++i) differs |= base[i] ^ base[0];
  return differs == 0;
}

[[gnu::always_inline]] inline void execute_steps(const Warp& w, const FusedStep* step,
                                                 const FusedStep* end, const uint8_t* shared) {
  uint8_t* const registers = w.registers;
  while (step != end) {
    Vec acc[kVectors];
    for (int k = 0; k < kVectors; ++k) acc[k] = load_vector(registers + step->c + k * kVectorBytes);
    uint32_t d = 0;
    do {
      float value = 0;
      std::memcpy(&value, shared + static_cast<int32_t>(step->offset), sizeof value);
      const Vec factor = value - Vec{};  // not a sum: -0 stays -0
      const uint8_t* x = registers + step->x;
      if (step->kind == isa::kStepFma) {
        for (int k = 0; k < kVectors; ++k)
          acc[k] = fused(load_vector(x + k * kVectorBytes), factor, acc[k]);
      } else {
        const uint8_t* y = registers + step->y;
        for (int k = 0; k < kVectors; ++k) {
          const Vec product = load_vector(x + k * kVectorBytes) * factor;
          acc[k] = fused(load_vector(y + k * kVectorBytes), acc[k], product);
        }
      }
      d = step->d;
      ++step;
    } while (step != end && step->chained != 0);
    for (int k = 0; k < kVectors; ++k)
      store_vector(registers + d + k * kVectorBytes, canonical_nan(acc[k]));
  }
}

/// The observers' view of a run: spans of bytes, `list` = their number, then offset and length of
/// each. False when the instructions have to execute one by one.
[[gnu::noinline]] bool is_clean(const Warp& w, const Op* op, const uint32_t* list,
                                int64_t address) {
  bool clean = true;
  for (uint32_t k = 0; k < list[0]; ++k) {
    const auto at = static_cast<uint32_t>(address + static_cast<int32_t>(list[1 + 2 * k]));
    clean &= notify_broadcast(w, op, at, list[2 + 2 * k]);
  }
  return clean;
}

// Op: a = base address, c = number of steps, d = index of the run, imm = distance behind it, b =
// where the spans of is_clean() begin in operands, operands[extra...] = lowest and highest offset,
// then the steps.
template <class Address>
const Op* shared_run(Warp& w, const Op* op) {
  const Address* base = w.lanes<Address>(op->a);
  const uint32_t* list = w.operands + op->extra;
  const auto address = static_cast<int64_t>(base[0]);
  const int64_t low = address + static_cast<int32_t>(list[0]),
                high = address + static_cast<int32_t>(list[1]) + 4;
  if (w.active != kFullMask || low < 0 || high > w.shared_bytes || (address & 3) != 0 ||
      !same_address(base)) {
    return next(w, op + 1);
  }
  if (w.quick == 0 && !is_clean(w, op, w.operands + op->b, address)) return next(w, op + 1);
  const auto* steps = reinterpret_cast<const FusedStep*>(list + 2);
  execute_steps(w, steps, steps + op->c, w.shared + address);
  w.run_counts[op->d].executed += 1;
  return next(w, op + op->imm);
}

}  // namespace

const Op* global_run(Warp& w, const Op* op);       // fused_global.cpp
const Op* compiled_region(Warp& w, const Op* op);  // compiled.cpp

extern const isa::FusedHandlers fused_handlers;
const isa::FusedHandlers fused_handlers = {shared_run<uint32_t>, shared_run<uint64_t>, global_run,
                                           compiled_region, kVectorBytes};

}  // namespace vgpu::VGPU_VARIANT
