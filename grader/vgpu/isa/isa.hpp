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

/// Executes lanes with the code of this variant instead of the widest that the processor can run:
/// "baseline" (AVX2, or what the processor has if it is not an x86-64) or "wide" (AVX-512). To be
/// called before the first kernel is decoded. False, and without effect, when this processor or
/// this build does not have it.
bool use_variant(std::string_view name);

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
  bool whole = false;  ///< a lane's elements move at once, for all threads of the CPU to see so
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
  Handler poll;     ///< the warp has asked for a value that others may change; imm = cost of fuel
  Handler barrier;  ///< a = id, b = threads or kNone, imm = kBarrier flags, c = predicate, extra =
                    ///< ~0 when negated
  Handler barrier_result;  ///< follows a reducing barrier: d = result, imm = the same flags
  Handler warp_barrier;    ///< a = member mask
  Handler call;  ///< imm = index into Kernel::codes; operands[extra...] = own code, then count and
                 ///< (from, to, bytes)... of the arguments, then the same of the results
  Handler call_pointer;    ///< the same through a pointer: a = register (8 bytes); an enter_meeting
                           ///< follows
  Handler return_;         ///< of a device function
  Handler stack_allocate;  ///< alloca: a = bytes (8-byte register), imm = alignment, d = local
                           ///< address (8 bytes)
  Handler stack_save;      ///< d (8 bytes) = top of the lanes' alloca memory
  Handler stack_restore;   ///< a (8 bytes) = what stack_save gave
  Handler heap_allocate;   ///< malloc: a = bytes (8), d = address (8)
  Handler heap_free;       ///< a = address (8)
  Handler local_address;   ///< d (8 bytes) = the frame's local memory + imm
  Handler print;           ///< vprintf: a = format, b = arguments (generic addresses), d = result
  Handler assert_fail;     ///< a = message, b = file, c = line, d = function
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
  Handler shared_narrow, shared_wide;  ///< by the width of the base address
  Handler global;                      ///< isa/fused_global.cpp
  Handler compiled;                    ///< isa/compiled.cpp
  uint32_t vector_bytes;               ///< of the vectors that all handlers use
};
const FusedHandlers& fused();

/// A run of loads from global memory and multiply-adds (FusedHandlers::global). Op: c = steps, d =
/// the run of its first base in Kernel::runs, imm = distance behind the run, operands[extra...] =
/// GlobalRunHead, then loads and spans, those of the first base first, and steps.
struct GlobalRunBase {
  uint32_t address;       ///< register
  uint32_t site;          ///< of the first load
  int32_t low, high;      ///< the bytes that are loaded lie from low to high behind the address
  uint32_t largest_size;  ///< bytes of a load
  uint32_t loads, spans;
};
struct GlobalRunHead {
  uint32_t bases;
  GlobalRunBase base[2];
};
struct GlobalRunLoad {
  uint32_t site;
  int32_t offset;  ///< from the address, bytes
  uint32_t size;   ///< bytes of a lane
};
/// Words side by side; copied out of memory they lie behind those of the spans before it.
struct GlobalRunSpan {
  int32_t offset;
  uint32_t words;
};
/// A factor: a register at `offset`, or a word `offset` bytes behind the address of a base, the
/// `copied`-th byte of all that are copied out.
struct GlobalRunFactor {
  uint32_t from;  ///< base, or kFromRegister
  int32_t offset, copied;
};
inline constexpr uint32_t kFromRegister = 2;
struct GlobalRunStep {
  GlobalRunFactor a, b;
  uint32_t c, d;
  uint32_t chained;  ///< c is the previous step's d and nothing else reads that: it is not stored
};
inline constexpr uint32_t kMostGlobalWords = 64;  ///< that a run loads for each lane

/// An address that a compiled region loads from in shared memory (FusedHandlers::compiled).
struct RegionBase {
  uint32_t address;    ///< register
  uint32_t wide;       ///< it has 64 bits
  int32_t low, high;   ///< the bytes that are loaded lie from low to high behind the address
  uint32_t alignment;  ///< bytes
  uint32_t varies;     ///< there is code for lanes that lie side by side
};
inline constexpr size_t kMostRegionBases = 4;

/// cp.async (isa/async.cpp).
struct AsyncHandlers {
  Handler copy;    ///< a = shared address, imm = its offset, b = global address, c = bytes,
                   ///< operands[extra...] = AsyncOperands
  Handler commit;  ///< cp.async.commit_group
  Handler wait;    ///< imm = commits that must have followed a copy for it to be waited for
};
struct AsyncOperands {
  int32_t source_offset;      ///< of the global address, bytes
  uint32_t present;           ///< register: bytes to read, zeros follow; or kNone
  uint32_t ignore;            ///< predicate: read nothing; or kNone
  uint32_t wide_destination;  ///< the shared address has 64 bits
  uint32_t through_l1;        ///< .ca, not .cg
};
const AsyncHandlers& async();

/// Barrier objects, mbarrier (isa/mbarrier.cpp). Op: a = address, b = its kind, imm = offset, c =
/// operand or kNone, d = result or kNone, extra = bytes more of transactions or kNone.
struct BarrierObjectHandlers {
  Handler initialise;           ///< c = arrivals of a phase
  Handler arrive;               ///< c = arrivals, d = token (8 bytes)
  Handler arrive_and_drop;      ///< the same, and later phases expect fewer
  Handler change_transactions;  ///< expect_tx and complete_tx
  Handler test_token;           ///< c = token, d = predicate: the token's phase is over
  Handler test_parity;          ///< c = parity of the phase (4 bytes), d = predicate
  Handler pending_count;        ///< a = token, d = arrivals that were pending
  Handler land_copies;          ///< carries out the lanes' cp.async
};
inline constexpr uint32_t kNarrowShared = 0, kWideShared = 1, kGeneric = 2;  ///< kinds of addresses
const BarrierObjectHandlers& barrier_object();

/// Tensor cores (isa/matrix.cpp). A register that 32 lanes hold is a tile: lane t holds, of an 8 x
/// 8 matrix of 16-bit elements, row t / 4, columns 2 (t % 4) and the next; of an 8 x 4 matrix of
/// 32-bit elements, row t / 4, column t % 4. Two registers hold an 8 x 8 matrix of 32-bit elements:
/// its even and its odd columns. All lanes must be on.
struct MatrixHandlers {
  Handler load_rows;   ///< ldmatrix: a = shared address, imm = offset, b = 1 when it has 64 bits, c
                       ///< = 1 when transposed, d = matrices, operands[extra...] = registers
  Handler store_rows;  ///< stmatrix: the same
  /// D = A B + C: operands[extra...] = MultiplyOperands, then the registers of the tiles of A
  /// [m][k], of B [n][k] (transposed), of C and of D [m][n], row by row.
  Handler multiply_f16, multiply_bf16, multiply_tf32;
  Handler load_fragment;  ///< wmma.load: a = address, imm = offset, b = stride in elements, c =
                          ///< MemorySpace, operands[extra...] = FragmentOperands, then the pieces
  Handler store_fragment;
};
struct MultiplyOperands {
  uint32_t m, n, k;  ///< tiles: at most 8 of A and of B
  uint32_t c_is_half, d_is_half;
};
/// How the lanes of a piece of a fragment lie in memory. A tile starts at `major` * stride +
/// `minor`; a lane's (i, j) is added to them.
enum class PieceKind : uint32_t {
  Tile,            ///< of 16-bit elements: (t / 4, 2 (t % 4)), 4 bytes
  TransposedTile,  ///< the same, memory holds the tile's transpose
  Pair,            ///< even and odd columns: (t / 4, 2 (t % 4)), 8 bytes
  Across,          ///< the even columns of a transpose: (2 (t % 4), t / 4), 4 bytes
  Element,         ///< 32-bit elements: (t / 4, t % 4)
  AcrossElement,   ///< (t % 4, t / 4)
};
struct FragmentPiece {
  PieceKind kind;
  uint32_t major, minor;   ///< elements
  uint32_t first, second;  ///< registers; second only for Pair
};
struct FragmentOperands {
  uint32_t pieces;
  uint32_t wide_address;
  uint32_t as_rows;  ///< read as ldmatrix does
};
const MatrixHandlers& matrix();

/// Tensor cores on 8-bit integers (tiles of 8 x 16 of A and of the transpose of B, four elements of
/// a row in a lane's register) and on doubles (8 x 4, one in a register): isa/matrix_exact.cpp. Row
/// t / 4 of a tile belongs to lanes 4 (t / 4) and the next three. Registers of A and B run down the
/// tiles of the first column of tiles, then down those of the next; a sum has two registers for
/// each tile of 8 x 8, columns 2 (t % 4) and the next.
struct ExactShape {
  uint32_t m, n, k;  ///< tiles
  uint32_t a_signed, b_signed, saturates;
};
struct ExactFragment {
  uint32_t registers;
  uint32_t tiles;  ///< in a column of tiles
  uint32_t bytes;  ///< of an element
  uint32_t is_sum;
  uint32_t across;  ///< elements of a row are a stride apart in memory
  uint32_t wide_address;
};
struct ExactMatrixHandlers {
  /// operands[extra...] = ExactShape, then the registers of A, B, C and D.
  Handler multiply_bytes, multiply_doubles;
  Handler load_fragment;  ///< a = address, imm = offset, b = stride in elements, c = MemorySpace,
                          ///< operands[extra...] = ExactFragment, then the registers
  Handler store_fragment;
};
const ExactMatrixHandlers& exact_matrix();

inline constexpr uint32_t kNone = 0xFFFFFFFFu;  ///< in an operand that is absent
const Builtins& builtins();

}  // namespace vgpu::isa
