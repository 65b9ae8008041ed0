// Atomic operations on global, shared and generic addresses (PTX ISA 9.0, section 9.7.13, atom and
// red). Lanes of a warp take their turns in ascending order; blocks on other CPU threads see each
// update as one step.
#include <atomic>
#include <cstdint>
#include <cstring>

#include "isa/half.hpp"
#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "isa/rounding.hpp"
#include "machine/access_atomic.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using isa::MemorySpace;

const float kNan32 = float_of(0x7FFFFFFFu);

template <class T>
using Bits = std::conditional_t<sizeof(T) == 2, uint16_t,
                                std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;

template <class T>
Bits<T> to_bits(T v) {
  return __builtin_bit_cast(Bits<T>, v);
}
template <class T>
T from_bits(Bits<T> v) {
  return __builtin_bit_cast(T, v);
}

// New value from the old one and the operands.
template <class T>
T op_add(T old, T b, T) {
  return static_cast<T>(old + b);
}
template <>
int32_t op_add(int32_t old, int32_t b, int32_t) {
  return static_cast<int32_t>(static_cast<uint32_t>(old) + static_cast<uint32_t>(b));
}
// Sums of floats differ between the spaces on the hardware. Global memory has an adder of its own:
// it flushes denormal floats to zero and hands on the NaN of an operand as it is. Sums in shared
// memory are those of ordinary additions.
float op_add_global(float old, float b, float) {
  const float sum = flush(flush(old) + flush(b));
  return sum != sum ? kNan32 : sum;
}
float op_add_shared(float old, float b, float) {
  const float sum = old + b;
  return sum != sum ? kNan32 : sum;
}
double op_add_global(double old, double b, double) {
  return b != b ? b : old != old ? old : old + b;
}
double op_add_shared(double old, double b, double) {
  return old != old ? old + old : b != b ? b + b : old + b;  // a sum of one NaN is that NaN, quiet
}
template <class T>
T op_min(T old, T b, T) {
  return b < old ? b : old;
}
template <class T>
T op_max(T old, T b, T) {
  return b > old ? b : old;
}
template <class T>
T op_and(T old, T b, T) {
  return old & b;
}
template <class T>
T op_or(T old, T b, T) {
  return old | b;
}
template <class T>
T op_xor(T old, T b, T) {
  return old ^ b;
}
template <class T>
T op_exch(T, T b, T) {
  return b;
}
template <class T>
T op_cas(T old, T b, T c) {
  return old == b ? c : old;
}
template <class T>
T op_inc(T old, T b, T) {
  return old >= b ? 0 : old + 1;
}
template <class T>
T op_dec(T old, T b, T) {
  return old == 0 || old > b ? b : old - 1;
}

template <class H>
uint16_t op_add_half(uint16_t old, uint16_t b, uint16_t) {
  return half_add<H>(old, b);
}
template <class H>
uint32_t op_add_pair(uint32_t old, uint32_t b, uint32_t) {
  return both<half_add<H>>(old, b);
}

template <class T, T F(T, T, T)>
T update(uint8_t* place, T b, T c) {
  auto* const word = reinterpret_cast<Bits<T>*>(place);
  Bits<T> old = __atomic_load_n(word, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(word, &old, to_bits<T>(F(from_bits<T>(old), b, c)), true,
                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
  }
  return from_bits<T>(old);
}

template <class T, T F(T, T, T), T G(T, T, T)>
T update_in(MemorySpace space, uint8_t* place, T b, T c) {
  if constexpr (F != G) {
    if (space != MemorySpace::Shared) return update<T, G>(place, b, c);
  }
  return update<T, F>(place, b, c);
}

/// The addresses of one space; shared memory as host addresses once they are checked. F is the
/// operation on shared memory, G on global memory.
template <class T, bool kReturns, T F(T, T, T), T G(T, T, T)>
void atomic_in(Warp& w, const Op* op, const uint64_t* base, uint64_t window, MemorySpace space) {
  Addresses addresses;
  collect_addresses(addresses, base, op->imm - static_cast<int64_t>(window), w.active);
  uint64_t host_base = 0;
  if (space == MemorySpace::Shared) {
    check_shared(w, op, addresses, sizeof(T), Intent::Atomic);
    host_base = reinterpret_cast<uint64_t>(w.shared);
  } else {
    check_global_atomic(w, op, addresses, sizeof(T), F == op_cas<T>);
  }
  const T* b = w.lanes<T>(op->b);
  const T* c = w.lanes<T>(op->c);
  T* d = w.lanes<T>(op->d);
  for (int i = 0; i < kLanes; ++i) {
    if ((w.active >> i & 1) == 0) continue;
    auto* const place = reinterpret_cast<uint8_t*>(host_base + addresses.at[i]);
    const T old = update_in<T, F, G>(space, place, b[i], c[i]);
    if constexpr (kReturns) d[i] = old;
  }
}

template <class T, bool kReturns, T F(T, T, T), T G(T, T, T)>
[[gnu::noinline]] void any_atomic(Warp& w, const Op* op) {
  const auto space = static_cast<MemorySpace>(op->extra & 0xFF);
  const bool wide = (op->extra >> 8 & 1) != 0;
  uint64_t base[kLanes];
  for (int i = 0; i < kLanes; ++i)
    base[i] = wide ? w.lanes<uint64_t>(op->a)[i] : w.lanes<uint32_t>(op->a)[i];
  if (space != MemorySpace::Generic) return atomic_in<T, kReturns, F, G>(w, op, base, 0, space);
  const uint32_t all = w.active;
  uint32_t in_shared = 0;
  for (int i = 0; i < kLanes; ++i) {
    const uint64_t window = (base[i] + static_cast<uint64_t>(op->imm)) & kWindowMask;
    if ((all >> i & 1) != 0 && window == kLocalWindow) {
      w.fault(FaultCode::IllegalAddress, op, i, "atomic operation on local memory",
              "local memory has no atomics");
    }
    in_shared |= static_cast<uint32_t>(window == kSharedWindow) << i;
  }
  w.active = all & in_shared;
  if (w.active != 0) atomic_in<T, kReturns, F, G>(w, op, base, kSharedWindow, MemorySpace::Shared);
  w.active = all & ~in_shared;
  if (w.active != 0) atomic_in<T, kReturns, F, G>(w, op, base, 0, MemorySpace::Global);
  w.active = all;
}

template <class T, bool kReturns, T F(T, T, T), T G(T, T, T) = F>
const Op* atomic(Warp& w, const Op* op) {
  any_atomic<T, kReturns, F, G>(w, op);
  return next(w, op + 1);
}

using isa::AtomicOperation;
using isa::AtomicType;

template <class T, bool kReturns>
Handler integer_operation(AtomicOperation operation) {
  switch (operation) {
    case AtomicOperation::Add:
      return atomic<T, kReturns, op_add<T>>;
    case AtomicOperation::Min:
      return atomic<T, kReturns, op_min<T>>;
    case AtomicOperation::Max:
      return atomic<T, kReturns, op_max<T>>;
    case AtomicOperation::Inc:
      return atomic<T, kReturns, op_inc<T>>;
    case AtomicOperation::Dec:
      return atomic<T, kReturns, op_dec<T>>;
    case AtomicOperation::And:
      return atomic<T, kReturns, op_and<T>>;
    case AtomicOperation::Or:
      return atomic<T, kReturns, op_or<T>>;
    case AtomicOperation::Xor:
      return atomic<T, kReturns, op_xor<T>>;
    case AtomicOperation::Exch:
      return atomic<T, kReturns, op_exch<T>>;
    case AtomicOperation::Cas:
      return atomic<T, kReturns, op_cas<T>>;
  }
  return nullptr;
}

template <bool kReturns>
Handler by_type(AtomicOperation operation, AtomicType type) {
  switch (type) {
    case AtomicType::U32:
      return integer_operation<uint32_t, kReturns>(operation);
    case AtomicType::U64:
      return integer_operation<uint64_t, kReturns>(operation);
    case AtomicType::S32:
      return integer_operation<int32_t, kReturns>(operation);
    case AtomicType::S64:
      return operation == AtomicOperation::Min   ? atomic<int64_t, kReturns, op_min<int64_t>>
             : operation == AtomicOperation::Max ? atomic<int64_t, kReturns, op_max<int64_t>>
                                                 : Handler{nullptr};
    case AtomicType::F32:
      return operation == AtomicOperation::Add
                 ? atomic<float, kReturns, op_add_shared, op_add_global>
                 : Handler{nullptr};
    case AtomicType::F64:
      return operation == AtomicOperation::Add
                 ? atomic<double, kReturns, op_add_shared, op_add_global>
                 : Handler{nullptr};
    case AtomicType::B16:
      return operation == AtomicOperation::Cas ? atomic<uint16_t, kReturns, op_cas<uint16_t>>
                                               : Handler{nullptr};
    case AtomicType::F16:
      return operation == AtomicOperation::Add ? atomic<uint16_t, kReturns, op_add_half<F16>>
                                               : Handler{nullptr};
    case AtomicType::F16x2:
      return operation == AtomicOperation::Add ? atomic<uint32_t, kReturns, op_add_pair<F16>>
                                               : Handler{nullptr};
    case AtomicType::Bf16:
      return operation == AtomicOperation::Add ? atomic<uint16_t, kReturns, op_add_half<Bf16>>
                                               : Handler{nullptr};
    case AtomicType::Bf16x2:
      return operation == AtomicOperation::Add ? atomic<uint32_t, kReturns, op_add_pair<Bf16>>
                                               : Handler{nullptr};
  }
  return nullptr;
}

}  // namespace

Handler find_atomic(AtomicOperation operation, AtomicType type, bool returns);
Handler find_atomic(AtomicOperation operation, AtomicType type, bool returns) {
  return returns ? by_type<true>(operation, type) : by_type<false>(operation, type);
}

}  // namespace vgpu::VGPU_VARIANT
