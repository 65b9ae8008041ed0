#include "ptx/declarations.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace vgpu::ptx {
namespace {

constexpr uint64_t kLargestVariable = uint64_t{1} << 40;  // bytes: no device has as much memory
constexpr uint64_t kLargestAlignment = 1 << 16;

// The words before a name: `.align 8 .b8`, `.v4 .f32`, `.u64 .ptr .global .align 4`.
void parse_attributes(Cursor& cursor, Variable& variable, size_t* vector_length) {
  bool is_aligned = false;
  bool is_pointer = false;
  *vector_length = 1;
  while (cursor.at(Token::Kind::DotWord)) {
    const std::string_view word = cursor.take().text;
    if (word == "align") {
      const uint64_t alignment = cursor.expect_unsigned("an alignment", kLargestAlignment);
      if (!std::has_single_bit(alignment)) cursor.fail("an alignment must be a power of two");
      if (!is_pointer) {  // after .ptr it is the alignment of what the parameter points to
        variable.alignment = alignment;
        is_aligned = true;
      }
    } else if (word == "ptr") {
      is_pointer = true;
    } else if (word == "attribute") {
      cursor.skip_parentheses();
    } else if (word == "v2" || word == "v4" || word == "v8") {
      *vector_length = static_cast<size_t>(word[1] - '0');
    } else if (is_pointer && space_from_name(word) != Space::None) {
      continue;
    } else {
      variable.type = type_from_name(word);
      if (size_of(variable.type) == 0) cursor.fail(quoted(word) + " is not a type of a variable");
    }
  }
  if (variable.type == Type::None) cursor.fail_expected("a type");
  if (!is_aligned) variable.alignment = size_of(variable.type) * *vector_length;
}

// `[4][8]` after a name. An empty `[]` counts 0.
void parse_dimensions(Cursor& cursor, Variable& variable) {
  while (cursor.accept('[')) {
    const uint64_t largest = kLargestVariable / size_of(variable.type);
    const uint64_t extent = cursor.at(']') ? 0 : cursor.expect_unsigned("an array size", largest);
    cursor.expect(']', "an array size");
    variable.is_array = true;
    if (extent > largest / std::max<uint64_t>(variable.count, 1)) cursor.fail("array too large");
    variable.count *= extent;
  }
}

Declaration parse_declarator(Cursor& cursor, Variable prototype, size_t vector_length) {
  Declaration declaration{cursor.expect_word("a name"), std::move(prototype)};
  declaration.variable.name = declaration.name;
  declaration.variable.count = vector_length;
  parse_dimensions(cursor, declaration.variable);
  return declaration;
}

}  // namespace

Space space_from_name(std::string_view name) {
  if (name == "global") return Space::Global;
  if (name == "shared") return Space::Shared;
  if (name == "local") return Space::Local;
  if (name == "param") return Space::Param;
  if (name == "const") return Space::Const;
  if (name == "reg") return Space::Reg;
  return Space::None;
}

std::vector<Declaration> parse_variables(Cursor& cursor, Space space, size_t* initial_budget) {
  Variable prototype;
  prototype.space = space;
  size_t vector_length = 1;
  parse_attributes(cursor, prototype, &vector_length);
  std::vector<Declaration> declarations;
  do {
    declarations.push_back(parse_declarator(cursor, prototype, vector_length));
    if (cursor.at('=')) {
      if (initial_budget == nullptr) cursor.fail("an initial value is not allowed here");
      cursor.take();
      parse_initial_value(cursor, declarations.back().variable, initial_budget);
    }
  } while (cursor.accept(','));
  cursor.expect(';', "a variable");
  return declarations;
}

std::vector<Declaration> parse_parameters(Cursor& cursor) {
  std::vector<Declaration> declarations;
  cursor.expect('(', "the name of a function");
  while (!cursor.accept(')')) {
    if (!declarations.empty()) cursor.expect(',', "a parameter");
    Variable prototype;
    if (cursor.at(Token::Kind::DotWord)) prototype.space = space_from_name(cursor.peek().text);
    if (prototype.space != Space::Param && prototype.space != Space::Reg) {
      cursor.fail_expected("a parameter: .param or .reg");
    }
    cursor.take();
    size_t vector_length = 1;
    parse_attributes(cursor, prototype, &vector_length);
    declarations.push_back(parse_declarator(cursor, prototype, vector_length));
  }
  return declarations;
}

void parse_registers(Cursor& cursor, Scopes& scopes) {
  const Type type =
      cursor.at(Token::Kind::DotWord) ? type_from_name(cursor.take().text) : Type::None;
  if (type == Type::None) cursor.fail("a .reg needs a scalar type");
  do {
    const int line = cursor.line();
    const std::string_view name = cursor.expect_word("the name of a register");
    if (cursor.accept('<')) {
      constexpr uint64_t kMostRegisters = std::numeric_limits<int>::max();
      const uint64_t count = cursor.expect_unsigned("a number of registers", kMostRegisters);
      cursor.expect('>', "a number of registers");
      scopes.declare_register_range(name, type, count, line);
    } else {
      scopes.declare_register(name, type, line);
    }
  } while (cursor.accept(','));
  cursor.expect(';', "a .reg");
}

}  // namespace vgpu::ptx
