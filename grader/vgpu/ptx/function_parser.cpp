#include "ptx/function_parser.hpp"

#include <limits>

#include "ptx/parser.hpp"

namespace vgpu::ptx {
namespace {

constexpr uint64_t kLargest32 = std::numeric_limits<uint32_t>::max();

// `128, 1, 1`: sizes that are left out are 1.
void parse_extents(Cursor& cursor, uint32_t (&extents)[3]) {
  size_t i = 0;
  do {
    if (i == 3) cursor.fail("a block has at most three sizes");
    extents[i++] = static_cast<uint32_t>(cursor.expect_unsigned("a block size", kLargest32));
  } while (cursor.accept(','));
  while (i < 3) extents[i++] = 1;
}

// What only tunes ptxas: `.maxnreg 64`, `.reqnctapercluster 2, 1, 1`, `.pragma "nounroll"`.
void skip_values(Cursor& cursor) {
  while (cursor.at(Token::Kind::Number) || cursor.at(Token::Kind::String) || cursor.at(',')) {
    cursor.take();
  }
}

}  // namespace

FunctionParser::FunctionParser(Cursor& cursor, LocationTable& locations, NameSet& module_names)
    : cursor_(cursor),
      locations_(locations),
      module_names_(module_names),
      scopes_(function_),
      operands_(cursor, scopes_, module_names) {
  locations_.start_function();
}

Function FunctionParser::parse(bool is_entry) {
  function_.is_entry = is_entry;
  parse_header();
  parse_limits();
  if (cursor_.accept(';')) {
    function_.is_declaration = true;
  } else {
    parse_body();
  }
  return std::move(function_);
}

void FunctionParser::declare_parameters(const std::vector<Declaration>& parameters,
                                        std::vector<Variable>& to) {
  for (const Declaration& parameter : parameters) {
    if (parameter.variable.space == Space::Reg) {
      scopes_.declare_register(parameter.name, parameter.variable.type, cursor_.line());
    } else {
      scopes_.declare_parameter(parameter.name, cursor_.line());
    }
    to.push_back(parameter.variable);
  }
}

void FunctionParser::parse_header() {
  if (cursor_.at('(')) declare_parameters(parse_parameters(cursor_), function_.returns);
  const std::string_view name = cursor_.expect_word("the name of a function");
  function_.name = name;
  module_names_.insert(name);
  if (cursor_.at('(')) declare_parameters(parse_parameters(cursor_), function_.params);
}

void FunctionParser::parse_limits() {
  while (cursor_.at(Token::Kind::DotWord)) {
    const std::string_view directive = cursor_.take().text;
    if (directive == "maxntid") {
      parse_extents(cursor_, function_.max_threads);
    } else if (directive == "reqntid") {
      parse_extents(cursor_, function_.required_threads);
    } else if (directive == "minnctapersm") {
      function_.min_blocks_per_sm =
          static_cast<uint32_t>(cursor_.expect_unsigned("a number of blocks", kLargest32));
    } else if (directive == "noreturn") {
      function_.is_noreturn = true;
    } else if (directive == "attribute") {
      cursor_.skip_parentheses();
    } else {
      skip_values(cursor_);
    }
  }
}

void FunctionParser::parse_body() {
  cursor_.expect('{', "the header of a function");
  while (!cursor_.at('}') || scopes_.is_nested()) parse_statement();
  cursor_.take();
  resolve_labels();
}

void FunctionParser::parse_statement() {
  if (cursor_.at(Token::Kind::Word)) {
    const Token word = cursor_.take();
    if (cursor_.accept(':')) {
      parse_label(word);
    } else {
      parse_instruction(word, -1, false);
    }
  } else if (cursor_.at(Token::Kind::DotWord)) {
    parse_directive();
  } else if (cursor_.accept('@')) {
    const bool negated = cursor_.accept('!');
    const int guard = operands_.parse_register();
    if (function_.registers[guard].type != Type::Pred) cursor_.fail("a guard must be a predicate");
    if (!cursor_.at(Token::Kind::Word)) cursor_.fail_expected("an instruction after its guard");
    parse_instruction(cursor_.take(), guard, negated);
  } else if (cursor_.at('{')) {
    scopes_.open(cursor_.line());
    cursor_.take();
  } else if (cursor_.accept('}')) {
    scopes_.close();
  } else {
    cursor_.fail_expected("a statement");
  }
}

void FunctionParser::parse_directive() {
  const Token directive = cursor_.take();
  if (directive.text == "loc") {
    location_ = locations_.parse(cursor_);
  } else if (directive.text == "reg") {
    parse_registers(cursor_, scopes_);
  } else if (directive.text == "pragma") {
    skip_values(cursor_);
    cursor_.expect(';', "a .pragma");
  } else {
    const Space space = space_from_name(directive.text);
    if (space != Space::Shared && space != Space::Local && space != Space::Param) {
      throw ParseError(directive.line, "directive " + quoted("." + std::string(directive.text)) +
                                           " is not supported inside a function");
    }
    for (Declaration& declaration : parse_variables(cursor_, space, nullptr)) {
      scopes_.declare_variable(declaration.name, std::move(declaration.variable), directive.line);
    }
  }
}

void FunctionParser::parse_label(const Token& name) {
  const std::string& unique = scopes_.declare_label(name.text, name.line);
  if (cursor_.accept_directive("branchtargets")) {
    parse_branch_targets(unique);
  } else if (cursor_.accept_directive("callprototype")) {
    parse_call_prototype(unique);
  } else {
    function_.labels.emplace(unique, function_.body.size());
  }
}

void FunctionParser::parse_branch_targets(const std::string& name) {
  PendingTable table{name, {}};
  do {
    const int line = cursor_.line();
    table.targets.push_back(scopes_.use_label(cursor_.expect_word("a label"), line));
  } while (cursor_.accept(','));
  cursor_.expect(';', "a .branchtargets");
  pending_tables_.push_back(std::move(table));
}

void FunctionParser::parse_call_prototype(const std::string& name) {
  Function prototype;
  prototype.name = name;
  prototype.is_declaration = true;
  const auto parse_list = [this](std::vector<Variable>& to) {
    if (!cursor_.at('(')) return;
    for (Declaration& declaration : parse_parameters(cursor_)) {
      to.push_back(std::move(declaration.variable));
    }
  };
  parse_list(prototype.returns);
  cursor_.expect_word("the name of a .callprototype");
  parse_list(prototype.params);
  prototype.is_noreturn = cursor_.accept_directive("noreturn");
  cursor_.expect(';', "a .callprototype");
  function_.call_prototypes.emplace(name, std::move(prototype));
}

void FunctionParser::parse_instruction(const Token& opcode, int guard, bool guard_negated) {
  const char first = opcode.text.front();
  if (first < 'a' || first > 'z') {
    throw ParseError(opcode.line, "expected an instruction but found " + quoted(opcode.text));
  }
  Instruction instruction;
  instruction.opcode = opcode.text;
  instruction.guard = guard;
  instruction.guard_negated = guard_negated;
  instruction.location = location_;
  instruction.ptx_line = opcode.line;
  while (cursor_.at(Token::Kind::DotWord)) {
    instruction.modifiers.emplace_back(cursor_.take().text);
  }
  const bool is_branch = opcode.text == "bra" || opcode.text == "brx";
  while (!cursor_.at(';')) {
    if (!instruction.operands.empty()) cursor_.expect(',', "an operand");
    const Token name = cursor_.peek();
    Operand operand = operands_.parse();
    // The target of a branch is a label even where a variable has the same name.
    if (is_branch && operand.kind == Operand::Kind::Symbol) operand.kind = Operand::Kind::Label;
    if (operand.kind == Operand::Kind::Label) {
      pending_labels_.push_back({function_.body.size(), instruction.operands.size(),
                                 scopes_.use_label(name.text, name.line)});
    }
    instruction.operands.push_back(std::move(operand));
  }
  cursor_.take();
  function_.body.push_back(std::move(instruction));
}

void FunctionParser::resolve_labels() {
  for (const PendingLabel& pending : pending_labels_) {
    function_.body[pending.instruction].operands[pending.operand].name =
        scopes_.resolve(pending.use);
  }
  for (const PendingTable& table : pending_tables_) {
    std::vector<std::string>& targets = function_.branch_targets[table.name];
    for (const Scopes::LabelUse& use : table.targets) targets.push_back(scopes_.resolve(use));
  }
}

}  // namespace vgpu::ptx
