// Every kind of operand.
#include <gmock/gmock.h>

#include <bit>

#include "parse_helpers.hpp"

namespace vgpu::ptx {
namespace {

using ::testing::HasSubstr;
using Kind = Operand::Kind;

/// The operand in `opcode OPERAND;`.
Operand operand_of(std::string_view text) {
  return parse_body("opcode " + std::string(text) + ";").body.at(0).operands.at(0);
}

TEST(Operand, Immediates) {
  EXPECT_EQ(operand_of("42").kind, Kind::Integer);
  EXPECT_EQ(operand_of("-1").bits, -1);
  EXPECT_EQ(operand_of("0xffffffffffffffff").bits, -1);
  EXPECT_EQ(operand_of("-9223372036854775808").bits, INT64_MIN);
  EXPECT_EQ(operand_of("0f3F800000").kind, Kind::Float32);
  EXPECT_EQ(operand_of("0f3F800000").bits, 0x3F800000);
  EXPECT_EQ(operand_of("-0f3F800000").bits, 0xBF800000);
  EXPECT_EQ(operand_of("0d3FF0000000000000").kind, Kind::Float64);
  EXPECT_EQ(std::bit_cast<double>(operand_of("-1.5").bits), -1.5);
  EXPECT_EQ(operand_of("1.5").kind, Kind::Float64);
  EXPECT_EQ(operand_of("WARP_SZ").bits, 32);
}

TEST(Operand, RegistersPairsAndSinks) {
  EXPECT_EQ(operand_of("%r1").kind, Kind::Register);
  EXPECT_TRUE(operand_of("!%p1").negated);
  const Operand pair = operand_of("%r1|%p2");
  EXPECT_EQ(pair.reg, 0);
  EXPECT_EQ(pair.pair, 1);
  EXPECT_EQ(operand_of("%r1|_").pair, -1);
  EXPECT_EQ(operand_of("_").kind, Kind::Sink);
  const Operand second_only = operand_of("_|%p1");
  EXPECT_EQ(second_only.kind, Kind::Sink);
  EXPECT_EQ(second_only.pair, 0);
}

TEST(Operand, SpecialRegisters) {
  EXPECT_EQ(operand_of("%tid.x").kind, Kind::Special);
  EXPECT_EQ(operand_of("%tid.x").name, "%tid.x");
  EXPECT_EQ(operand_of("%clock64").name, "%clock64");
}

TEST(Operand, SymbolsWithOffset) {
  EXPECT_EQ(operand_of("table").kind, Kind::Symbol);
  EXPECT_EQ(operand_of("table+12").name, "table");
  EXPECT_EQ(operand_of("table+12").bits, 12);
  EXPECT_EQ(operand_of("kernel").kind, Kind::Symbol) << "a function";
}

TEST(Operand, Addresses) {
  const Operand plain = operand_of("[%rd1]");
  EXPECT_EQ(plain.kind, Kind::Address);
  EXPECT_EQ(plain.reg, 0);
  EXPECT_EQ(plain.bits, 0);
  EXPECT_EQ(operand_of("[%rd1+16]").bits, 16);
  EXPECT_EQ(operand_of("[ %rd1 + -4 ]").bits, -4);
  EXPECT_EQ(operand_of("[%rd1-4]").bits, -4);
  EXPECT_EQ(operand_of("[table+8]").name, "table");
  EXPECT_EQ(operand_of("[table+8]").bits, 8);
  EXPECT_EQ(operand_of("[kernel_param_0]").name, "kernel_param_0");
  const Operand absolute = operand_of("[1024]");
  EXPECT_EQ(absolute.reg, -1);
  EXPECT_EQ(absolute.name, "");
  EXPECT_EQ(absolute.bits, 1024);
}

TEST(Operand, TensorAddress) {
  const Operand operand = operand_of("[%rd1, {%r1, 64}]");
  EXPECT_EQ(operand.reg, 0);
  ASSERT_EQ(operand.elements.size(), 1u);
  EXPECT_EQ(operand.elements[0].kind, Kind::Vector);
  EXPECT_EQ(operand.elements[0].elements.at(1).bits, 64);
}

TEST(Operand, Vectors) {
  const Operand operand = operand_of("{%f1, _, 0f00000000, -1}");
  EXPECT_EQ(operand.kind, Kind::Vector);
  ASSERT_EQ(operand.elements.size(), 4u);
  EXPECT_EQ(operand.elements[0].kind, Kind::Register);
  EXPECT_EQ(operand.elements[1].kind, Kind::Sink);
  EXPECT_EQ(operand.elements[2].kind, Kind::Float32);
  EXPECT_EQ(operand.elements[3].bits, -1);
}

TEST(Operand, RefusesMalformedOnes) {
  for (const char* text : {"",
                           ",",
                           "[",
                           "[]",
                           "[%rd1",
                           "[%rd1+%r1]",
                           "[%undeclared]",
                           "[undeclared]",
                           "[0f3F800000]",
                           "{%f1",
                           "{%f1 %f2}",
                           "{{%f1}}",
                           "{undeclared}",
                           "!5",
                           "!%undeclared",
                           "-%r1",
                           "%r1|5",
                           "table+",
                           "table+1.5",
                           "%r1.b0",
                           "08",
                           "(%r1",
                           "a|b"}) {
    EXPECT_THROW(parse_body("opcode " + std::string(text) + (*text ? ";" : ",;")), ParseError)
        << text;
  }
}

TEST(Operand, DeepNestingIsRefusedWithoutRecursion) {
  EXPECT_THAT(parse_error([] { parse_body("opcode " + std::string(1000000, '{')); }),
              HasSubstr("PTX line 6"));
  EXPECT_THAT(parse_error([] { parse_body("opcode " + std::string(1000000, '(')); }),
              HasSubstr("PTX line 6"));
}

}  // namespace
}  // namespace vgpu::ptx
