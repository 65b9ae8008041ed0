#include "ptx/operands.hpp"

namespace vgpu::ptx {
namespace {

using Kind = Operand::Kind;

Operand operand_of_kind(Kind kind) {
  Operand operand;
  operand.kind = kind;
  return operand;
}

}  // namespace

Operand OperandParser::parse() {
  if (cursor_.at(Token::Kind::Word)) {
    Operand operand = parse_name();
    if (cursor_.at('|') && (operand.kind == Kind::Register || operand.kind == Kind::Sink)) {
      operand.pair = parse_second_of_pair();
    }
    return operand;
  }
  if (cursor_.at('[')) return parse_address();
  if (cursor_.at('{')) {
    Operand operand = operand_of_kind(Kind::Vector);
    operand.elements = parse_elements('}');
    return operand;
  }
  if (cursor_.at('(')) {
    Operand operand = operand_of_kind(Kind::List);
    operand.elements = parse_elements(')');
    return operand;
  }
  if (cursor_.accept('!')) {
    Operand operand = operand_of_kind(Kind::Register);
    operand.reg = parse_register();
    operand.negated = true;
    return operand;
  }
  return parse_immediate();
}

int OperandParser::parse_register() {
  if (!cursor_.at(Token::Kind::Word)) cursor_.fail_expected("a register");
  const int reg = scopes_.find(cursor_.peek().text).reg;
  if (reg < 0) cursor_.fail(quoted(cursor_.peek().text) + " is not a declared register");
  cursor_.take();
  return reg;
}

int OperandParser::parse_second_of_pair() {
  cursor_.expect('|', "a register");
  if (!cursor_.at_word("_")) return parse_register();
  cursor_.take();
  return -1;
}

Operand OperandParser::parse_immediate() {
  const Number number = cursor_.expect_number("an operand");
  Operand operand = operand_of_kind(number.kind == Number::Kind::Integer   ? Kind::Integer
                                    : number.kind == Number::Kind::Float32 ? Kind::Float32
                                                                           : Kind::Float64);
  operand.bits = static_cast<int64_t>(number.bits);
  return operand;
}

Operand OperandParser::parse_name() {
  constexpr int64_t kWarpSize = 32;
  const std::string_view name = cursor_.take().text;
  if (name == "_") return operand_of_kind(Kind::Sink);

  const Scopes::Found found = scopes_.find(name);
  if (found.reg >= 0) {
    Operand operand = operand_of_kind(Kind::Register);
    operand.reg = found.reg;
    return operand;
  }
  if (found.variable != nullptr || module_names_.contains(name)) {
    Operand operand = operand_of_kind(Kind::Symbol);
    operand.name = found.variable != nullptr ? *found.variable : std::string(name);
    operand.bits = cursor_.take_offset();
    return operand;
  }
  if (name.front() == '%') {
    Operand operand = operand_of_kind(Kind::Special);
    operand.name = name;
    if (cursor_.at(Token::Kind::DotWord)) operand.name.append(1, '.').append(cursor_.take().text);
    return operand;
  }
  if (name == "WARP_SZ") {
    Operand operand = operand_of_kind(Kind::Integer);
    operand.bits = kWarpSize;
    return operand;
  }
  Operand operand = operand_of_kind(Kind::Label);
  operand.name = name;
  return operand;
}

Operand OperandParser::parse_element() {
  if (!cursor_.at(Token::Kind::Word)) return parse_immediate();
  const std::string_view name = cursor_.peek().text;
  Operand operand = parse_name();
  if (operand.kind == Kind::Label) cursor_.fail(quoted(name) + " is not declared");
  return operand;
}

std::vector<Operand> OperandParser::parse_elements(char close) {
  std::vector<Operand> elements;
  cursor_.take();
  while (!cursor_.accept(close)) {
    if (!elements.empty()) cursor_.expect(',', "an element");
    elements.push_back(parse_element());
  }
  return elements;
}

Operand OperandParser::parse_address() {
  Operand operand = operand_of_kind(Kind::Address);
  cursor_.expect('[', "an address");
  const Operand base = parse_element();
  switch (base.kind) {
    case Kind::Register:
      operand.reg = base.reg;
      operand.bits = cursor_.take_offset();
      break;
    case Kind::Symbol:
      operand.name = base.name;
      operand.bits = base.bits;
      break;
    case Kind::Integer:
      operand.bits = base.bits;
      break;
    default:
      cursor_.fail("an address starts with a declared register, a variable or an integer");
  }
  while (cursor_.accept(',')) {
    const bool is_vector = cursor_.at('{');
    operand.elements.push_back(is_vector ? operand_of_kind(Kind::Vector) : parse_element());
    if (is_vector) operand.elements.back().elements = parse_elements('}');
  }
  cursor_.expect(']', "an address");
  return operand;
}

}  // namespace vgpu::ptx
