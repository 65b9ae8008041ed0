// Functions: headers with parameters and limits, bodies with statements.
#pragma once

#include "ptx/cursor.hpp"
#include "ptx/declarations.hpp"
#include "ptx/locations.hpp"
#include "ptx/module.hpp"
#include "ptx/operands.hpp"
#include "ptx/scopes.hpp"

namespace vgpu::ptx {

/// Parses one .entry or .func and one only.
class FunctionParser {
 public:
  /// `module_names` receives the name of the function before its body is parsed: it may call
  /// itself.
  FunctionParser(Cursor& cursor, LocationTable& locations, NameSet& module_names);

  /// Parses what follows `.entry` or `.func`, up to the `;` of a declaration or the `}` of a body.
  Function parse(bool is_entry);

 private:
  struct PendingLabel {
    size_t instruction;
    size_t operand;
    Scopes::LabelUse use;
  };
  struct PendingTable {
    std::string name;
    std::vector<Scopes::LabelUse> targets;
  };

  void parse_header();
  void parse_limits();
  void declare_parameters(const std::vector<Declaration>& parameters, std::vector<Variable>& to);
  void parse_body();
  void parse_statement();
  void parse_directive();
  void parse_label(const Token& name);
  void parse_branch_targets(const std::string& name);
  void parse_call_prototype(const std::string& name);
  void parse_instruction(const Token& opcode, int guard, bool guard_negated);
  void resolve_labels();

  Cursor& cursor_;
  LocationTable& locations_;
  NameSet& module_names_;
  Function function_;
  Scopes scopes_;
  OperandParser operands_;
  SourceLocation location_;
  std::vector<PendingLabel> pending_labels_;
  std::vector<PendingTable> pending_tables_;
};

}  // namespace vgpu::ptx
