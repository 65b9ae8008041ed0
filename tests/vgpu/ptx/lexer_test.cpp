// Tokens and numbers.
#include "ptx/lexer.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <string>
#include <vector>

#include "ptx/parser.hpp"

namespace vgpu::ptx {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  Lexer lexer(text);
  for (Token token = lexer.next(); token.kind != Token::Kind::End; token = lexer.next()) {
    tokens.push_back((token.kind == Token::Kind::DotWord ? "." : "") + std::string(token.text));
  }
  return tokens;
}

TEST(Lexer, SplitsAnInstruction) {
  EXPECT_THAT(tokens_of("@!%p1 ld.global.L2::128B.v4.f32 {%f1,_}, [%rd1+-4];"),
              ElementsAre("@", "!", "%p1", "ld", ".global", ".L2::128B", ".v4", ".f32", "{", "%f1",
                          ",", "_", "}", ",", "[", "%rd1", "+", "-", "4", "]", ";"));
}

TEST(Lexer, DropsComments) {
  EXPECT_THAT(tokens_of("a // b ; c\n/* d\n } */e/**/f"), ElementsAre("a", "e", "f"));
}

TEST(Lexer, CountsLines) {
  Lexer lexer("a\n/* \n */ b\r\n// c\nd");
  EXPECT_EQ(lexer.next().line, 1);
  EXPECT_EQ(lexer.next().line, 3);
  EXPECT_EQ(lexer.next().line, 5);
}

TEST(Lexer, KeepsNumbersWhole) {
  EXPECT_THAT(
      tokens_of("9.0 1e-5 1.5E+3 0x1F+2 0f3F800000-1 7U 1."),
      ElementsAre("9.0", "1e-5", "1.5E+3", "0x1F", "+", "2", "0f3F800000", "-", "1", "7U", "1."));
}

TEST(Lexer, TakesStringsWithEscapes) {
  EXPECT_THAT(tokens_of(R"("a\"b" x)"), ElementsAre(R"(a\"b)", "x"));
}

TEST(Lexer, RefusesWhatIsNotPtx) {
  EXPECT_THROW(tokens_of("a ` b"), ParseError);
  EXPECT_THROW(tokens_of("a /* b"), ParseError);
  EXPECT_THROW(tokens_of("\"a\nb\""), ParseError);
  EXPECT_THROW(tokens_of("\"a\\"), ParseError);
  EXPECT_THROW(tokens_of(std::string_view("a\0b", 3)), ParseError);
}

TEST(ParseNumber, Integers) {
  const auto integer = [](std::string_view text) {
    const auto number = parse_number(text);
    EXPECT_TRUE(number && number->kind == Number::Kind::Integer) << text;
    return number ? number->bits : 0;
  };
  EXPECT_EQ(integer("0"), 0u);
  EXPECT_EQ(integer("42"), 42u);
  EXPECT_EQ(integer("42U"), 42u);
  EXPECT_EQ(integer("0x1F"), 31u);
  EXPECT_EQ(integer("0XfFu"), 255u);
  EXPECT_EQ(integer("017"), 15u);
  EXPECT_EQ(integer("0b101"), 5u);
  EXPECT_EQ(integer("0x1e5"), 0x1e5u);
  EXPECT_EQ(integer("18446744073709551615"), ~uint64_t{0});
}

TEST(ParseNumber, Floats) {
  const auto single = parse_number("0f3F800000");
  ASSERT_TRUE(single && single->kind == Number::Kind::Float32);
  EXPECT_EQ(single->bits, 0x3F800000u);
  const auto hexadecimal = parse_number("0d400C000000000000");
  ASSERT_TRUE(hexadecimal && hexadecimal->kind == Number::Kind::Float64);
  EXPECT_EQ(std::bit_cast<double>(hexadecimal->bits), 3.5);
  const auto decimal = parse_number("1.5e-3");
  ASSERT_TRUE(decimal && decimal->kind == Number::Kind::Float64);
  EXPECT_EQ(std::bit_cast<double>(decimal->bits), 1.5e-3);
}

TEST(ParseNumber, RefusesMalformedOnes) {
  for (const char* text : {"", "0x", "0b2", "08", "0f3F80", "0f3F80000G", "0d0", "12a", "1.2.3",
                           "1e", "1ex", "18446744073709551616", "0x10000000000000000", "1e999"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

}  // namespace
}  // namespace vgpu::ptx
