// `.loc`: source lines and the chain of inlined calls.
#include <gtest/gtest.h>

#include "parse_helpers.hpp"

namespace vgpu::ptx {
namespace {

TEST(Location, HoldsUntilTheNextOne) {
  const Function function = parse_body("ret;\n.loc 1 12 3\nret;\nret;\n.loc 2 40 0\nret;");
  EXPECT_EQ(function.body[0].location.line, 0) << "unknown before the first .loc";
  EXPECT_EQ(function.body[1].location.line, 12);
  EXPECT_EQ(function.body[1].location.column, 3);
  EXPECT_EQ(function.body[1].location.inlined_at, -1);
  EXPECT_EQ(function.body[2].location.line, 12);
  EXPECT_EQ(function.body[3].location.file, 2);
}

TEST(Location, IsForgottenAtTheNextFunction) {
  const Module module = parse_module(".entry a() { .loc 1 5 0\nret; }\n.entry b() { ret; }");
  EXPECT_EQ(module.functions[0].body[0].location.line, 5);
  EXPECT_EQ(module.functions[1].body[0].location.line, 0);
}

TEST(Location, InlinedCallsFormAChain) {
  const Module module = parse_module(
      ".entry k() {\n"
      ".loc 1 30 5\n"
      ".loc 1 20 7, function_name $L__info_string0, inlined_at 1 30 5\n"
      ".loc 2 10 9, function_name $L__info_string1+16, inlined_at 1 20 7\n"
      "ret;\n.loc 2 11 9, function_name $L__info_string1, inlined_at 1 20 7\nret;\n.loc 1 20 7\n"
      ".loc 2 10 9, function_name $L__info_string1, inlined_at 1 20 7\nret;\n}");
  const std::vector<Instruction>& body = module.functions[0].body;
  const SourceLocation& innermost = body[0].location;
  EXPECT_EQ(innermost.file, 2);
  EXPECT_EQ(innermost.line, 10);
  const SourceLocation& middle = module.locations.at(innermost.inlined_at);
  EXPECT_EQ(middle.file, 1);
  EXPECT_EQ(middle.line, 20);
  const SourceLocation& outermost = module.locations.at(middle.inlined_at);
  EXPECT_EQ(outermost.line, 30);
  EXPECT_EQ(outermost.inlined_at, -1);
  EXPECT_EQ(body[1].location.inlined_at, innermost.inlined_at) << "a call site is stored once";
  EXPECT_EQ(module.locations.at(body[2].location.inlined_at).inlined_at, -1)
      << "called directly now";
  EXPECT_EQ(module.locations.size(), 3u);
}

TEST(Location, CallSitesOfAnotherFunctionDoNotCount) {
  const Module module = parse_module(
      ".entry a() {\n.loc 1 20 7, function_name $L, inlined_at 1 30 5\nret;\n}\n"
      ".entry b() {\n.loc 2 10 9, function_name $L, inlined_at 1 20 7\nret;\n}");
  const SourceLocation& location = module.functions[1].body[0].location;
  EXPECT_EQ(module.locations.at(location.inlined_at).inlined_at, -1);
}

TEST(Location, RefusesMalformedOnes) {
  EXPECT_THROW(parse_body(".loc 1 2\nret;"), ParseError);
  EXPECT_THROW(parse_body(".loc 1 2 99999999999\nret;"), ParseError);
  EXPECT_THROW(parse_body(".loc 1 2 3, inlined_by 1 2 3\nret;"), ParseError);
}

}  // namespace
}  // namespace vgpu::ptx
