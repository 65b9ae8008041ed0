// Errors of whole modules: every one is a ParseError with the line.
#include <gmock/gmock.h>

#include "parse_helpers.hpp"

namespace vgpu::ptx {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  return parse_error([&] { parse(text); });
}

TEST(ModuleErrors, NotPtx) {
  EXPECT_THAT(error_of(""), HasSubstr("this is not PTX"));
  EXPECT_THAT(error_of("\x7f"
                       "ELF"),
              HasSubstr("PTX line 1: unexpected character '?'"));
  EXPECT_THAT(error_of("int main() {}"), HasSubstr("this is not PTX"));
  EXPECT_THAT(error_of(".version x"), HasSubstr("expected a version such as 9.0"));
  EXPECT_THAT(error_of(".version 9"), HasSubstr("expected a version such as 9.0"));
}

TEST(ModuleErrors, CarryTheLine) {
  try {
    parse_module("\n\n.nonsense");
    FAIL() << "no ParseError";
  } catch (const ParseError& error) {
    EXPECT_EQ(error.line, 6);
    EXPECT_STREQ(error.what(), "PTX line 6: directive '.nonsense' is not supported here");
  }
}

TEST(ModuleErrors, OnlySixtyFourBit) {
  EXPECT_THAT(error_of(".version 9.0\n.address_size 32"), HasSubstr("only .address_size 64"));
}

TEST(ModuleErrors, Duplicates) {
  EXPECT_THAT(error_of(std::string(kHeader) + ".entry f() { ret; }\n.entry f() { ret; }"),
              EndsWith("PTX line 5: function 'f' is defined twice"));
}

TEST(ModuleErrors, Unclosed) {
  EXPECT_THAT(error_of(std::string(kHeader) + ".section .debug_str {"), HasSubstr("never closed"));
  EXPECT_THAT(error_of(std::string(kHeader) + ".entry f("), HasSubstr("end of the text"));
  EXPECT_THAT(error_of(std::string(kHeader) + ".global .attribute(.managed .b8 a"),
              HasSubstr("expected ')'"));
}

TEST(ModuleErrors, LongTokensAreShortened) {
  EXPECT_LT(error_of(std::string(kHeader) + std::string(100000, 'x')).size(), 200u);
}

}  // namespace
}  // namespace vgpu::ptx
