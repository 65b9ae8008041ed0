// Operands of instructions (PTX ISA 9.0, chapter 6).
#pragma once

#include <string_view>
#include <unordered_set>

#include "ptx/cursor.hpp"
#include "ptx/module.hpp"
#include "ptx/scopes.hpp"

namespace vgpu::ptx {

using NameSet = std::unordered_set<std::string_view>;

class OperandParser {
 public:
  /// `module_names`: the variables and functions of the module that are declared so far.
  OperandParser(Cursor& cursor, Scopes& scopes, const NameSet& module_names)
      : cursor_(cursor), scopes_(scopes), module_names_(module_names) {}

  /// One operand of an instruction. A name that is neither declared nor special becomes a Label
  /// whose `name` is not yet resolved: labels may be used before they are declared.
  Operand parse();

  /// A register that must be declared: the guard of an instruction.
  int parse_register();

 private:
  Operand parse_immediate();
  Operand parse_name();
  Operand parse_element();  ///< of a vector or a list: no nesting, no labels
  Operand parse_address();
  std::vector<Operand> parse_elements(char close);
  int parse_second_of_pair();

  Cursor& cursor_;
  Scopes& scopes_;
  const NameSet& module_names_;
};

}  // namespace vgpu::ptx
