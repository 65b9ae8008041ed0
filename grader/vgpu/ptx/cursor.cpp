#include "ptx/cursor.hpp"

#include "ptx/parser.hpp"

namespace vgpu::ptx {

Token Cursor::take() {
  const Token taken = token_;
  token_ = lexer_.next();
  return taken;
}

bool Cursor::accept(char punct) {
  if (!at(punct)) return false;
  take();
  return true;
}

bool Cursor::accept_directive(std::string_view dot_word) {
  if (!at(Token::Kind::DotWord) || token_.text != dot_word) return false;
  take();
  return true;
}

void Cursor::expect(char punct, std::string_view after) {
  if (!accept(punct)) fail_expected(quoted({&punct, 1}) + " after " + std::string(after));
}

std::string_view Cursor::expect_word(std::string_view what) {
  if (!at(Token::Kind::Word)) fail_expected(what);
  return take().text;
}

uint64_t Cursor::expect_unsigned(std::string_view what, uint64_t largest) {
  if (!at(Token::Kind::Number)) fail_expected(what);
  const std::optional<Number> number = parse_number(token_.text);
  if (!number || number->kind != Number::Kind::Integer || number->bits > largest) {
    fail_expected(std::string(what) + " of at most " + std::to_string(largest));
  }
  take();
  return number->bits;
}

Number Cursor::expect_number(std::string_view what) {
  const bool negative = accept('-');
  if (!at(Token::Kind::Number)) fail_expected(what);
  std::optional<Number> number = parse_number(token_.text);
  if (!number) fail("malformed number " + quoted(token_.text));
  take();
  if (negative) {
    switch (number->kind) {
      case Number::Kind::Integer:
        number->bits = 0 - number->bits;
        break;
      case Number::Kind::Float32:
        number->bits ^= uint64_t{1} << 31;
        break;
      case Number::Kind::Float64:
        number->bits ^= uint64_t{1} << 63;
        break;
    }
  }
  return *number;
}

int64_t Cursor::take_offset() {
  if (!at('+') && !at('-')) return 0;
  accept('+');
  const Number number = expect_number("a byte offset");
  if (number.kind != Number::Kind::Integer) fail("a byte offset must be an integer");
  return static_cast<int64_t>(number.bits);
}

void Cursor::skip_parentheses() {
  if (!at('(')) return;
  size_t depth = 0;
  do {
    if (at(Token::Kind::End)) fail_expected("')'");
    depth += at('(');
    depth -= at(')');
    take();
  } while (depth > 0);
}

void Cursor::skip_section() {
  if (!at('{')) fail_expected("'{' after the name of a .section");
  lexer_.skip_section();
  token_ = lexer_.next();
}

void Cursor::fail(const std::string& message) const {
  throw ParseError(token_.line, message);
}

void Cursor::fail_expected(std::string_view what) const {
  const std::string found = at(Token::Kind::End)       ? "the end of the text"
                            : at(Token::Kind::DotWord) ? quoted("." + std::string(token_.text))
                                                       : quoted(token_.text);
  fail("expected " + std::string(what) + " but found " + found);
}

}  // namespace vgpu::ptx
