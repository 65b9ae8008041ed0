#include "ptx/lexer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "ptx/parser.hpp"

namespace vgpu::ptx {
namespace {

enum CharClass : uint8_t { kOther = 0, kDigit = 1, kLetter = 2, kStart = 4, kPunct = 8 };

// One table look-up per character: the lexer is the hottest part of the front end.
constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = kLetter | kStart;
  for (int c = 'A'; c <= 'Z'; ++c) classes[c] = kLetter | kStart;
  classes['_'] = classes['$'] = kLetter | kStart;
  classes['%'] = kStart;
  for (const char c : std::string_view("{}()[]<>,;:=+-!|@")) {
    classes[static_cast<uint8_t>(c)] = kPunct;
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

bool is(char c, int mask) {
  return (kClasses[static_cast<uint8_t>(c)] & mask) != 0;
}
bool is_name_char(char c) {
  return is(c, kDigit | kLetter);
}

std::optional<uint64_t> integer_in_base(std::string_view digits, int base) {
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

ParseError::ParseError(int line_number, const std::string& what)
    : std::runtime_error("PTX line " + std::to_string(line_number) + ": " + what),
      line(line_number) {}

std::string quoted(std::string_view text) {
  constexpr size_t kLongest = 60;
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) result += c >= ' ' && c <= '~' ? c : '?';
  return result + (text.size() > kLongest ? "...'" : "'");
}

Token Lexer::make(Token::Kind kind, size_t begin, size_t end) {
  position_ = end;
  return {kind, text_.substr(begin, end - begin), line_};
}

void Lexer::skip_comment() {
  if (at(position_ + 1) == '/') {
    position_ = std::min(text_.find('\n', position_), text_.size());
    return;
  }
  const size_t close = text_.find("*/", position_ + 2);
  if (close == std::string_view::npos) throw ParseError(line_, "a comment /* is never closed");
  for (; position_ < close + 2; ++position_) line_ += text_[position_] == '\n';
}

void Lexer::skip_blanks() {
  for (; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if (c == '\n') {
      ++line_;
    } else if (c != ' ' && c != '\t' && c != '\r' && c != '\f' && c != '\v') {
      return;
    }
  }
}

Token Lexer::next() {
  skip_blanks();
  while (at(position_) == '/' && (at(position_ + 1) == '/' || at(position_ + 1) == '*')) {
    skip_comment();
    skip_blanks();
  }
  if (position_ >= text_.size()) return {Token::Kind::End, {}, line_};

  const size_t begin = position_;
  const char c = text_[begin];
  if (is(c, kStart)) {
    size_t end = begin + 1;
    while (is_name_char(at(end))) ++end;
    return make(Token::Kind::Word, begin, end);
  }
  if (is(c, kPunct)) return make(Token::Kind::Punct, begin, begin + 1);
  if (is(c, kDigit)) return make(Token::Kind::Number, begin, end_of_number());
  if (c == '.' && is_name_char(at(begin + 1))) {
    return make(Token::Kind::DotWord, begin + 1, end_of_dot_word());
  }
  if (c == '"') {
    size_t end = begin + 1;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    if (at(end) != '"') throw ParseError(line_, "a string is not closed on its line");
    const Token token = make(Token::Kind::String, begin + 1, end);
    ++position_;
    return token;
  }
  throw ParseError(line_, "unexpected character " + quoted(text_.substr(begin, 1)));
}

size_t Lexer::end_of_dot_word() const {
  size_t end = position_ + 1;
  while (is_name_char(at(end)) ||
         (at(end) == ':' && at(end + 1) == ':' && is_name_char(at(end + 2)))) {
    end += at(end) == ':' ? 2 : 1;
  }
  return end;
}

size_t Lexer::end_of_number() const {
  size_t end = position_;
  const auto skip_alphanumeric = [&] {
    while (is_name_char(at(end))) ++end;
  };
  skip_alphanumeric();
  if (is(at(position_ + 1), kLetter) && at(position_ + 1) != 'e' && at(position_ + 1) != 'E') {
    return end;  // 0x.., 0b.., 0f.., 0d..: neither a point nor an exponent
  }
  if (at(end) == '.') {
    ++end;
    skip_alphanumeric();
  }
  const char last = text_[end - 1];
  if ((last == 'e' || last == 'E') && (at(end) == '+' || at(end) == '-')) {
    ++end;
    skip_alphanumeric();
  }
  return end;
}

void Lexer::skip_section() {
  for (; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if (c == '\n') {
      ++line_;
    } else if (c == '}') {
      ++position_;
      return;
    }
  }
  throw ParseError(line_, "a .section is never closed");
}

std::optional<Number> parse_number(std::string_view text) {
  const char prefix = text.size() > 2 && text[0] == '0' ? text[1] : '\0';
  const auto float_bits = [&](size_t digits, Number::Kind kind) -> std::optional<Number> {
    if (text.size() != digits + 2) return std::nullopt;
    const auto bits = integer_in_base(text.substr(2), 16);
    return bits ? std::optional<Number>({kind, *bits}) : std::nullopt;
  };
  if (prefix == 'f' || prefix == 'F') return float_bits(8, Number::Kind::Float32);
  if (prefix == 'd' || prefix == 'D') return float_bits(16, Number::Kind::Float64);

  const bool is_hexadecimal = prefix == 'x' || prefix == 'X';
  if (!is_hexadecimal && text.find_first_of(".eE") != std::string_view::npos) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return Number{Number::Kind::Float64, std::bit_cast<uint64_t>(value)};
  }

  if (text.ends_with('U') || text.ends_with('u')) text.remove_suffix(1);
  std::optional<uint64_t> value;
  if (is_hexadecimal) {
    value = integer_in_base(text.substr(2), 16);
  } else if (prefix == 'b' || prefix == 'B') {
    value = integer_in_base(text.substr(2), 2);
  } else {
    value = integer_in_base(text, text.starts_with('0') && text.size() > 1 ? 8 : 10);
  }
  return value ? std::optional<Number>({Number::Kind::Integer, *value}) : std::nullopt;
}

}  // namespace vgpu::ptx
