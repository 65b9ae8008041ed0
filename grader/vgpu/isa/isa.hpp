// What the instruction families offer to the decoder: a table from PTX mnemonics to handlers, and
// the handlers of operations that the decoder assembles itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "machine/counts.hpp"
#include "machine/kernel.hpp"

namespace vgpu::isa {

/// An instruction whose operands are registers or constants. `operands` describes them in written
/// order, one letter each: 'd' a destination, 's' a source, followed by the width of one lane in
/// bytes or 'p' for a predicate: "d4s4s4", "dps4s4". They go to Op::d, then Op::a, b, c.
struct Form {
  const char* mnemonic;
  Handler run;
  const char* operands;
  InstructionClass kind;
};

/// A family's part of the mnemonic table.
struct FormList {
  const Form* forms;
  size_t count;
};

/// The form of a mnemonic, or nullptr when the virtual GPU does not know it.
const Form* find(std::string_view mnemonic);

enum class MemorySpace : uint8_t { Global, Shared, Local, Generic, Constant, FunctionParam };

/// A load or store. One element of `bytes` bytes in memory, sign- or zero-extended to a register of
/// `register_bytes`. Op: a = address register (64 bits wide when `wide_address`, else 32), imm =
/// offset, c = number of elements (1, 2, 4); d = register of the element, or extra = index of the
/// elements' registers when there are several.
struct MemoryForm {
  MemorySpace space = MemorySpace::Global;
  uint32_t bytes = 4, register_bytes = 4;
  bool sign_extend = false;
  bool wide_address = true;
};
Handler load(const MemoryForm& form);  ///< nullptr when there is no such load
Handler store(const MemoryForm& form);

enum class AtomicOperation : uint8_t { Add, Min, Max, Inc, Dec, And, Or, Xor, Exch, Cas };
enum class AtomicType : uint8_t { U32, U64, S32, S64, F32, F64, B16, F16, F16x2, Bf16, Bf16x2 };

/// atom and red. Op: a = address, imm = offset, b = operand, c = second operand (cas), d = old
/// value (atom), extra = space | wide address << 8. `operation` as in PTX: "add", "cas", ...;
/// `type` "u32", "f32", ...
Handler atomic(std::string_view operation, std::string_view type, bool returns);

/// Operations that the decoder puts together. Branch targets are distances in operations from the
/// branch itself.
struct Builtins {
  Handler enter_block;    ///< imm = index into Kernel::blocks
  Handler enter_meeting;  ///< the same at a reconvergence point or a loop head
  Handler jump;           ///< imm = distance
  Handler branch;  ///< a = predicate, b = ~0 when negated, imm = distance, extra = distance to the
                   ///< meeting point, 0: none
  Handler branch_table;  ///< a = index register, c = entries, operands[extra...] = distances, imm
                         ///< as `extra` of branch
  Handler guard;  ///< a = predicate, b = ~0 when negated, imm = distance past `unguard`, d = where
                  ///< the mask is kept
  Handler unguard;  ///< d = where the mask is kept
  Handler exit;
  Handler guarded_exit;  ///< a = predicate, b = ~0 when negated
  Handler trap;
  Handler unsupported;  ///< stops with the mnemonic of its site
  Handler nop;
  Handler fence;
  Handler barrier;  ///< a = id, b = threads or kNone, imm = kBarrier flags, c = predicate, extra =
                    ///< ~0 when negated
  Handler barrier_result;  ///< follows a reducing barrier: d = result, imm = the same flags
  Handler warp_barrier;    ///< a = member mask
  Handler call;  ///< imm = index into Kernel::codes; operands[extra...] = own code, then count and
                 ///< (from, to, bytes)... of the arguments, then the same of the results
  Handler return_;        ///< of a device function
  Handler local_address;  ///< d (8 bytes) = the frame's local memory + imm
  Handler print;          ///< vprintf: a = format, b = arguments (generic addresses), d = result
  Handler assert_fail;    ///< a = message, b = file, c = line, d = function
  Handler clock;  ///< d = counter of 4 bytes, or of 8 with imm = 1; imm = 2: nanoseconds in 8 bytes
  Handler active_mask;  ///< d
};
inline constexpr int64_t kBarrierArrivesOnly = 1, kBarrierPopc = 4, kBarrierAnd = 8,
                         kBarrierOr = 16;
/// One multiply-add of a run (isa/fused.cpp): d = x * shared[offset] + c, or d = y * c + (x *
/// shared[offset]).
struct FusedStep {
  uint32_t offset, x, c, d, y, kind;
  uint32_t chained;  ///< c is the previous step's d: the value stays in registers
};
inline constexpr uint32_t kStepFma = 0, kStepScaledFma = 1;
struct FusedHandlers {
  Handler narrow, wide;  ///< by the width of the base address
};
const FusedHandlers& fused();

inline constexpr uint32_t kNone = 0xFFFFFFFFu;  ///< in an operand that is absent
const Builtins& builtins();

}  // namespace vgpu::isa
