// A decoded kernel: what the warp executor runs. Plain data, filled by `program/`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "machine/counts.hpp"

namespace vgpu {

struct Warp;
struct Op;

/// Executes one operation for the active lanes and continues: it returns the next operation, or
/// nullptr when the warp stops (Warp::status says why).
using Handler = const Op* (*)(Warp& warp, const Op* op);

/// One decoded operation. d, a, b, c are byte offsets of operands in the warp's register file: 32
/// lanes side by side, or one word with a bit per lane for a predicate. The meaning of the other
/// fields belongs to the handler.
struct Op {
  Handler run = nullptr;
  uint32_t d = 0, a = 0, b = 0, c = 0;
  int64_t imm = 0;     ///< address offset, immediate, index of a branch target
  uint32_t site = 0;   ///< index into Kernel::sites
  uint32_t extra = 0;  ///< index into Kernel::operands for operations with more than four operands
};

/// How far a memory instruction orders others. Volatile, relaxed and acquiring accesses are strong:
/// two of them do not race.
enum class Strength : uint8_t { Weak, Strong, Releasing };

/// Where an operation comes from, for counters and messages.
struct Site {
  uint32_t file = 0;  ///< index into Kernel::files
  int line = 0;       ///< of the source file, 0 when the object has no line information
  int ptx_line = 0;
  InstructionClass kind = InstructionClass::Other;
  Strength strength = Strength::Weak;
  /// Of a load, the bytes of each lane, one bit each: those that something is computed from, and
  /// those that are stored again (program/used_bytes.hpp). All of them for other instructions.
  uint16_t computed_bytes = 0xFFFF, stored_bytes = 0xFFFF;
  std::string mnemonic;
  std::string callers;  ///< of inlined code: ", called from FILE:LINE", outwards
};

/// A `__shared__` array of fixed size.
struct SharedArray {
  std::string name;
  uint32_t offset = 0, size = 0;  ///< bytes
};

/// A straight run of operations, counted as one.
struct BasicBlock {
  uint32_t first_site = 0, site_count = 0;  ///< its instructions, in Kernel::sites
};

struct KernelParam {
  size_t offset = 0, size = 0, alignment = 1;  ///< bytes in the parameter buffer
};

/// The layout of one function's frame in a warp's register file.
struct Frame {
  uint32_t bytes = 0;        ///< of registers, a multiple of 512
  uint32_t local_bytes = 0;  ///< of local memory per lane
  struct Constant {
    uint32_t offset = 0, width = 0;  ///< bytes of one lane; 0: a predicate, one bit per lane
    uint64_t bits = 0;
  };
  std::vector<Constant> constants;  ///< the same value in every lane
};

/// Special registers that are filled when a warp starts, in slots of the entry's frame.
enum class Special : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NwarpId,
  SmId,
  NsmId,
  GridId,
  LanemaskEq,
  LanemaskLt,
  LanemaskLe,
  LanemaskGt,
  LanemaskGe,
  DynamicSharedSize,
  TotalSharedSize,
  GridWorkspaceHigh,
  GridWorkspaceLow,
  Count_
};

struct SpecialSlot {
  Special special{};
  uint32_t offset = 0;
  uint32_t width = 4;
};

/// A function of the module: the kernel itself or a device function it calls.
struct Code {
  std::string name;
  std::vector<Op> ops;
  Frame frame;
  std::vector<SpecialSlot> specials;  ///< to fill on entry
};

/// Instructions that execute as one when the lanes agree (isa/fused.cpp, isa/fused_global.cpp): the
/// loads among them, which count as often as the run executes.
struct FusedRun {
  struct SharedLoad {
    uint32_t site = 0, wavefronts = 1;
  };
  struct GlobalLoad {
    uint32_t site = 0, size = 4;  ///< bytes of a lane
  };
  std::vector<SharedLoad> shared_loads;
  std::vector<GlobalLoad> global_loads;
};

/// Machine code of a region (program/region.hpp): reads and writes rows of 32 lanes in a frame of
/// registers, and reads shared memory behind the address of each base; bit k of `rows`: lanes find
/// their words side by side behind base k, else they share one.
using CompiledCode = void (*)(uint8_t* registers, const uint8_t* const* shared, uint32_t rows);
struct CompiledRegion {
  std::string name, text;      ///< of a C++ function
  CompiledCode run = nullptr;  ///< nullptr: its instructions are interpreted
};

struct Kernel {
  std::string name;  ///< mangled
  std::string demangled;
  std::vector<KernelParam> params;
  size_t param_bytes = 0;
  size_t static_shared = 0;                ///< bytes
  size_t shared_padding = 0;               ///< bytes between the arrays, under observation only
  std::vector<SharedArray> shared_arrays;  ///< by offset
  /// Bytes of the smallest access to shared and to global memory, at most 4.
  uint32_t shared_cell = 4, global_cell = 4;
  uint32_t max_threads[3] = {0, 0, 0};       ///< .maxntid, zeros when absent
  uint32_t required_threads[3] = {0, 0, 0};  ///< .reqntid
  uint32_t register_slots = 0;               ///< 32-bit registers of the entry after compaction

  std::vector<Code> codes;         ///< codes[0] is the entry
  std::vector<Site> sites;         ///< of all codes
  std::vector<BasicBlock> blocks;  ///< of all codes
  std::vector<FusedRun> runs;
  std::vector<CompiledRegion> regions;
  std::vector<std::string> files;
  std::vector<uint32_t> operands;  ///< pool for Op::extra
  /// Of each function of the module that has a body: its place in `codes`, or kNoCode. Pointers to
  /// functions count in it.
  std::vector<uint32_t> code_of_function;
  static constexpr uint32_t kNoCode = 0xFFFFFFFFu;
  bool uses_heap = false;  ///< calls malloc or free
  size_t stack_bytes = 0;  ///< of local_bytes those for alloca, at its end
  size_t local_bytes = 0;  ///< local memory of one lane, the whole call depth included
  size_t frame_bytes = 0;  ///< register file of one warp, the whole call depth included

  /// Kernel parameters that the code reads by a fixed offset: filled into every lane of a slot at
  /// launch.
  struct ParamSlot {
    uint32_t param_offset = 0, slot = 0, width = 4;
    uint32_t loaded = 4;  ///< bytes read from the parameter, extended to `width`
    bool sign_extend = false;
  };
  std::vector<ParamSlot> param_slots;
};

/// "attention.cu:31", or "tile.cuh:9, called from attention.cu:31" for inlined code.
std::string source_place(const Kernel& kernel, const Site& site);

}  // namespace vgpu
