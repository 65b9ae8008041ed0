// PTX text -> tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vgpu::ptx {

struct Token {
  enum class Kind : uint8_t {
    End,
    Word,     ///< identifier, also with a leading %, $ or _
    DotWord,  ///< ".reg", ".f32", ".L2::128B"; text without the first dot
    Number,   ///< as written, see parse_number()
    String,   ///< text between the quotes, escapes not resolved
    Punct,    ///< one of { } ( ) [ ] < > , ; : = + - ! | @
  };
  Kind kind = Kind::End;
  std::string_view text;  ///< part of the PTX text
  int line = 0;           ///< line in the PTX text, from 1
};

/// Splits PTX text into tokens on demand; comments are dropped. Throws ParseError.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next();

  /// Skips the raw rest of a `.section NAME { ... }` whose opening brace was the last token: debug
  /// data may be most of the text, and nothing in it is needed.
  void skip_section();

 private:
  char at(size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
  void skip_blanks();
  void skip_comment();
  Token make(Token::Kind kind, size_t begin, size_t end);
  size_t end_of_number() const;
  size_t end_of_dot_word() const;

  std::string_view text_;
  size_t position_ = 0;
  int line_ = 1;
};

/// The value of a Number token.
struct Number {
  enum class Kind : uint8_t { Integer, Float32, Float64 };
  Kind kind = Kind::Integer;
  uint64_t bits = 0;  ///< the integer, or the bit pattern of the float
};

/// Decimal, octal, hexadecimal and binary integers (suffix U allowed), 0fXXXXXXXX,
/// 0dXXXXXXXXXXXXXXXX and decimal doubles (PTX ISA 9.0, section 4.5). Empty when the text is not a
/// number or does not fit 64 bits.
std::optional<Number> parse_number(std::string_view text);

/// Text of a token for a message: shortened, unprintable bytes replaced, in quotes.
std::string quoted(std::string_view text);

}  // namespace vgpu::ptx
