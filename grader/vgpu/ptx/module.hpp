// A PTX module as plain data: what the parser produces and what `program/` decodes.
// Nothing here knows how an instruction is executed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vgpu::ptx {

/// Fundamental and packed types as they are spelled in PTX (PTX ISA 9.0, section 5.2).
enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F64,
};

/// Size of one value in bytes; 0 for None and Pred.
size_t size_of(Type type);

/// "f32" -> Type::F32; Type::None when the word is not a type.
Type type_from_name(std::string_view name);

enum class Space : uint8_t { None, Reg, Const, Global, Local, Param, Shared };

/// Which other modules share a name of module scope (PTX ISA 9.0, section 11.6). `.common` is Weak.
enum class Linkage : uint8_t { Local, Visible, Weak, Extern };

/// A `.loc` line. Lines are those of the source file; 0 means unknown.
struct SourceLocation {
  int file = 0;  ///< index as in `.file`, resolved by Module::files
  int line = 0;
  int column = 0;
  int inlined_at = -1;  ///< index into Module::locations of the call site, or -1
};

struct Register {
  std::string name;  ///< with the percent sign, as written
  Type type = Type::None;
};

/// A named piece of memory: module variable, shared or local array, parameter.
struct Variable {
  std::string name;
  Space space = Space::None;
  Type type = Type::None;  ///< element type
  size_t alignment = 1;    ///< bytes
  size_t count = 1;        ///< elements; 0 for an unsized `extern .shared x[]`
  bool is_array = false;
  Linkage linkage = Linkage::Local;
  std::vector<uint8_t> initial;  ///< initial bytes, padded to size(); empty: zero-initialised

  /// An address stored in the initial value: 8 bytes at `offset` become address_of(symbol)+addend.
  struct Relocation {
    size_t offset = 0;
    std::string symbol;
    int64_t addend = 0;
    bool generic = false;  ///< written as generic(symbol)
  };
  std::vector<Relocation> relocations;

  size_t size() const { return count * size_of(type); }  ///< bytes
};

struct Operand {
  enum class Kind : uint8_t {
    Register,  ///< reg; `negated` for !%p; `pair` for the second half of a|b (or -1)
    Integer,   ///< bits (two's complement, 64 bits)
    Float32,   ///< bits holds the 32-bit pattern (0fXXXXXXXX)
    Float64,   ///< bits holds the 64-bit pattern (0dXXXXXXXXXXXXXXXX or a decimal literal)
    Special,   ///< name: "%tid.x", "%laneid", "%clock64", ... (never a declared register)
    Symbol,    ///< name of a variable or function, plus `bits` as byte offset
    Address,   ///< [reg + bits], [symbol + bits] or [bits]: reg >= 0 or name non-empty or neither;
               ///< elements: what follows a comma inside the brackets, `[%rd1, {%r1, %r2}]`
    Label,     ///< name of a label, a `.branchtargets` or a `.callprototype` table of this function
    Vector,    ///< elements: registers or immediates, `{%f1, %f2}`
    List,      ///< elements: `(a, b)` of a call
    Sink,      ///< `_`, also in `_|%p` (then `pair` is the register)
  };
  Kind kind = Kind::Sink;
  bool negated = false;
  int reg = -1;   ///< index into Function::registers
  int pair = -1;  ///< second register of `a|b`
  int64_t bits = 0;
  std::string name;
  std::vector<Operand> elements;
};

struct Instruction {
  std::string opcode;  ///< first word: "ld", "fma", "bra"
  std::vector<std::string>
      modifiers;   ///< the rest, without dots: {"global","nc","v4","f32"}; "::" kept ("L2::128B")
  int guard = -1;  ///< predicate register, or -1
  bool guard_negated = false;
  std::vector<Operand> operands;  ///< in written order
  SourceLocation location;
  int ptx_line = 0;  ///< line in the PTX text, for messages

  bool has(std::string_view modifier) const;
  std::string mnemonic() const;  ///< "ld.global.nc.v4.f32"
};

/// An .entry or a .func. Names declared in nested `{ }` scopes are made unique by the parser ("t"
/// -> "t@3"); `registers` holds those that are used, not the whole of a range such as `%r<37>`.
struct Function {
  std::string name;  ///< mangled
  bool is_entry = false;
  bool is_declaration = false;  ///< prototype without body (vprintf, __assertfail, malloc, ...)
  bool is_noreturn = false;
  Linkage linkage = Linkage::Local;
  std::vector<Variable> params;   ///< Space::Param
  std::vector<Variable> returns;  ///< Space::Param (or Space::Reg); empty for entries
  std::vector<Register> registers;
  std::vector<Variable> variables;  ///< shared, local, and .param scratch declared in the body
  std::vector<Instruction> body;
  std::unordered_map<std::string, size_t>
      labels;  ///< label -> index into body (may equal body.size())
  std::unordered_map<std::string, std::vector<std::string>>
      branch_targets;  ///< `.branchtargets` tables: name -> labels
  std::unordered_map<std::string, Function> call_prototypes;  ///< `.callprototype` tables
  uint32_t max_threads[3] = {0, 0, 0};                        ///< .maxntid, zeros when absent
  uint32_t required_threads[3] = {0, 0, 0};                   ///< .reqntid
  uint32_t min_blocks_per_sm = 0;                             ///< .minnctapersm
};

struct Module {
  int version_major = 0, version_minor = 0;
  std::string target;                          ///< "sm_80"
  std::unordered_map<int, std::string> files;  ///< `.file` index -> path
  std::vector<SourceLocation> locations;  ///< call sites that SourceLocation::inlined_at points to
  std::vector<Variable> variables;        ///< module scope: .global, .const, .shared
  std::vector<Function> functions;
  std::unordered_map<std::string, std::string>
      aliases;  ///< `.alias a, b;`: a stands for the function b

  /// The function of that name, an alias resolved; nullptr when there is none.
  const Function* find_function(std::string_view name) const;
};

}  // namespace vgpu::ptx
