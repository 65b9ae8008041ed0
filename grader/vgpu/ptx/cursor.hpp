// The token stream with one token of look-ahead and the questions that every part of the parser
// asks it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ptx/lexer.hpp"

namespace vgpu::ptx {

class Cursor {
 public:
  explicit Cursor(std::string_view text) : lexer_(text), token_(lexer_.next()) {}

  const Token& peek() const { return token_; }
  int line() const { return token_.line; }
  bool at(char punct) const {
    return token_.kind == Token::Kind::Punct && token_.text.front() == punct;
  }
  bool at(Token::Kind kind) const { return token_.kind == kind; }
  bool at_word(std::string_view word) const { return at(Token::Kind::Word) && token_.text == word; }

  /// Returns the current token and moves to the next one.
  Token take();

  /// Takes the punctuation, or the dot-word (written without its dot), if it comes next.
  bool accept(char punct);
  bool accept_directive(std::string_view dot_word);

  /// Takes what must come next; ParseError otherwise. `after` completes "expected ';' after ...".
  void expect(char punct, std::string_view after);
  std::string_view expect_word(std::string_view what);
  uint64_t expect_unsigned(std::string_view what, uint64_t largest);

  /// Takes a number with an optional minus sign. A negative integer is its two's complement.
  Number expect_number(std::string_view what);

  /// Takes an optional `+ n` or `- n`, as follows a symbol or a register; 0 when absent.
  int64_t take_offset();

  /// Skips a balanced group whose opening bracket comes next, if it does: `(...)`.
  void skip_parentheses();
  /// Skips the data of a `.section`; its opening brace comes next.
  void skip_section();

  [[noreturn]] void fail(const std::string& message) const;
  /// "expected WHAT but found TOKEN".
  [[noreturn]] void fail_expected(std::string_view what) const;

 private:
  Lexer lexer_;
  Token token_;
};

}  // namespace vgpu::ptx
