// One function of a module -> operations. The parts: decoder.cpp (blocks, operands, table-driven
// instructions), decode_run.cpp (runs that execute as one), decode_memory.cpp (ld, st, atom, mov,
// cvta), decode_control.cpp (branches, barriers, warp-wide operations), decode_call.cpp (calls,
// alloca), decode_mbarrier.cpp, decode_tensor.cpp (cp.async, ldmatrix, mma, wmma) and
// decode_matrix_exact.cpp (mma and wmma of 8-bit integers and doubles).
#pragma once

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "isa/isa.hpp"
#include "machine/kernel.hpp"
#include "program/error.hpp"
#include "program/flow.hpp"
#include "program/fuse.hpp"
#include "program/fuse_global.hpp"
#include "program/region.hpp"
#include "program/registers.hpp"
#include "program/used_bytes.hpp"
#include "ptx/module.hpp"

namespace vgpu {

/// Raised inside the decoder for an instruction it cannot translate; it becomes an operation that
/// stops when reached.
struct Untranslatable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Where names of a module lead; filled by Program and while a kernel is decoded.
struct SymbolTable {
  std::map<std::string, uint64_t, std::less<>>
      memory;  ///< .global and .const variables: device address
  std::map<std::string, uint32_t, std::less<>> shared;     ///< offset in the block's shared memory
  std::map<std::string, int, std::less<>> code;            ///< functions: index into Kernel::codes
  std::map<std::string, uint64_t, std::less<>> functions;  ///< what pointers to them hold
};

class Decoder {
 public:
  Decoder(const ptx::Module& module, const ptx::Function& function, Kernel& kernel,
          SymbolTable& symbols, int code);

  /// Also writes the regions of loops as C++, into Kernel::regions. To be called before decode().
  void write_regions() { varying_ = varying_registers(function_); }

  /// Fills Kernel::codes[code] and appends to the kernel's sites, blocks and operands.
  void decode();

 private:
  using Instruction = ptx::Instruction;
  using Operand = ptx::Operand;

  // --- decoder.cpp
  void decode_block(size_t block);
  void decode_instruction(size_t index);
  void place_locals();
  void translate(const Instruction& i);
  void translate_by_form(const Instruction& i);
  void decode_setp(const Instruction& i);
  const isa::Form& form(const std::string& mnemonic) const;
  Op& emit(Handler run);
  uint32_t add_site(const Instruction& i);
  void set_kind(InstructionClass kind);
  void resolve_jumps();

  /// Offset of an operand's value: a register's slot, a constant's, a special register's. `width`
  /// bytes per lane.
  uint32_t source(const Operand& operand, uint32_t width);
  /// Where a result of `width` bytes per lane goes. Throws Untranslatable unless the operand is a
  /// register of that width: anything else would spill into other registers.
  uint32_t destination(const Operand& operand, uint32_t width);
  /// The predicate that `p|q` names besides, or kNone.
  uint32_t second_predicate(const Operand& operand) const;
  uint32_t constant(uint64_t bits, uint32_t width);
  uint32_t special(const std::string& name, uint32_t width);
  uint32_t scratch(uint32_t width, int which = 0);
  uint32_t predicate(const Operand& operand);
  uint32_t register_width(const Operand& operand) const;
  uint32_t reserve(uint32_t width);
  uint32_t list(const std::vector<uint32_t>& values);
  void move(uint32_t to, uint32_t from, uint32_t width);

  // --- decode_run.cpp
  /// Decodes the region that begins at instruction `first`, or the run. Returns how many
  /// instructions.
  size_t decode_region(size_t first, size_t last);
  /// Decodes the run that begins at instruction `first`, or that instruction. Returns how many.
  size_t decode_run(size_t first, size_t last);
  void decode_shared_run(const FusibleRun& run, size_t first);
  void decode_global_run(const GlobalRun& run, size_t first);
  void decode_singly(size_t run_op, size_t first, size_t length);
  uint32_t slot_of(int r) const;

  // --- decode_memory.cpp
  struct Address {
    uint32_t base = 0;
    int64_t offset = 0;
    bool wide = true;
    isa::MemorySpace space = isa::MemorySpace::Generic;
  };
  bool decode_memory(const Instruction& i);
  void note_access(const Instruction& i, uint32_t bytes);
  void decode_load(const Instruction& i);
  void decode_store(const Instruction& i);
  void decode_access(const Instruction& i, const Operand& data, const Operand& where,
                     bool is_store);
  void decode_param_load(const Instruction& i, const ptx::Variable& param, size_t index);
  void decode_atomic(const Instruction& i, bool returns);
  void decode_move(const Instruction& i);
  void decode_cvta(const Instruction& i);
  void decode_isspacep(const Instruction& i);
  Address address(const Operand& operand, ptx::Space space);
  uint64_t symbol_value(const Operand& operand, bool& is_local);
  static ptx::Space space_of(const Instruction& i);
  const ptx::Variable* param_variable(std::string_view name, size_t* index = nullptr) const;

  // --- decode_control.cpp
  bool decode_control(const Instruction& i);
  void decode_branch(const Instruction& i);
  void decode_table_branch(const Instruction& i);
  void decode_return(const Instruction& i);
  void decode_barrier(const Instruction& i);
  void decode_shuffle(const Instruction& i);
  void decode_vote(const Instruction& i);
  void decode_match(const Instruction& i);

  // --- decode_call.cpp
  void decode_call(const Instruction& i);
  uint32_t pass_values(const ptx::Function& callee, const Operand* arguments,
                       const Operand* results);
  void decode_pointer_call(const Instruction& i, const Operand& callee, const Operand* arguments,
                           const Operand* results);
  bool decode_stack(const Instruction& i);
  void decode_system_call(const Instruction& i, const std::string& callee, const Operand& arguments,
                          const Operand* results);
  uint32_t rows(const ptx::Variable& variable);

  // --- decode_mbarrier.cpp
  bool decode_mbarrier(const Instruction& i);

  // --- decode_matrix_exact.cpp
  bool decode_matrix_exact(const Instruction& i);
  void decode_exact_multiply(const Instruction& i, bool of_doubles, isa::ExactShape shape);
  void decode_exact_fragment(const Instruction& i, bool of_doubles, uint32_t row_tiles,
                             uint32_t column_tiles);
  std::vector<uint32_t> exact_registers(const Operand& operand, uint32_t width,
                                        bool is_destination);

  // --- decode_tensor.cpp
  bool decode_tensor(const Instruction& i);
  void decode_async(const Instruction& i);
  void decode_ldmatrix(const Instruction& i);
  void decode_stmatrix(const Instruction& i);
  void decode_mma(const Instruction& i);
  void decode_fragment(const Instruction& i);
  std::vector<uint32_t> registers_of(const Operand& operand, bool is_destination);

  const ptx::Module& module_;
  const ptx::Function& function_;
  Kernel& kernel_;
  SymbolTable& symbols_;
  int code_index_;
  FlowGraph graph_;
  RegisterSlots slots_;
  RegisterTraffic traffic_;
  std::vector<UsedBytes> used_;  // by register
  std::vector<bool> varying_;    // by register; empty: no regions
  Code code_;

  uint32_t site_ = 0;                  // of the instruction being translated
  size_t block_ = 0;                   // the block it is in
  std::vector<uint32_t> block_start_;  // first operation of each block
  uint32_t saved_stack_ =
      0;  // of a device function with alloca: where the caller's top is kept, 0 when there is none
  uint32_t exit_op_ = 0;  // device functions return in one place

  struct Jump {
    uint32_t op;
    int block;  // kNoBlock: the function's exit
    enum class Field : uint8_t { Imm, Extra, List } field;
    uint32_t index = 0;  // into Kernel::operands
  };
  std::vector<Jump> jumps_;
  std::map<std::pair<uint32_t, uint64_t>, uint32_t> constants_;
  std::map<std::pair<int, uint32_t>, uint32_t> specials_, scratches_;
  std::map<std::tuple<size_t, uint32_t, bool, uint32_t>, uint32_t> params_;
  std::map<std::string, uint32_t, std::less<>> local_offsets_, rows_;
};

}  // namespace vgpu
