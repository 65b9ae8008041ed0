// Several modules that become one. (Real programs: tests/vgpu/cudart/linked.)
#include "program/link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "program/error.hpp"
#include "ptx/parser.hpp"

namespace vgpu {
namespace {

using testing::HasSubstr;

ptx::Module parsed(const std::string& body) {
  return ptx::parse(".version 9.0\n.target sm_80\n.address_size 64\n" + body);
}

ptx::Module linked(const std::vector<std::string>& bodies) {
  std::vector<ptx::Module> modules;
  for (const std::string& body : bodies) modules.push_back(parsed(body));
  return link(std::move(modules));
}

std::string refusal(const std::vector<std::string>& bodies) {
  try {
    linked(bodies);
  } catch (const ProgramError& error) {
    return error.what();
  }
  return "linked";
}

const ptx::Variable* variable(const ptx::Module& module, const std::string& name) {
  const auto found = std::find_if(module.variables.begin(), module.variables.end(),
                                  [&](const ptx::Variable& v) { return v.name == name; });
  return found == module.variables.end() ? nullptr : &*found;
}

TEST(Link, ADefinitionTakesThePlaceOfDeclarationsBeforeAndAfterIt) {
  const std::string declared = ".extern .global .align 4 .u32 x; .extern .func f();";
  const std::string defined = ".visible .global .align 4 .u32 x = 7; .visible .func f() { ret; }";
  for (const auto& order : {std::vector{declared, defined}, std::vector{defined, declared}}) {
    const ptx::Module module = linked(order);
    EXPECT_EQ(module.variables.size(), 1u);
    EXPECT_EQ(variable(module, "x")->initial[0], 7);
    ASSERT_EQ(module.functions.size(), 1u);
    EXPECT_FALSE(module.find_function("f")->is_declaration);
  }
}

TEST(Link, LocalNamesOfDifferentModulesStayApart) {
  const std::string body =
      ".global .u32 own = 1; .global .u64 address = own; .func helper() { ret; }"
      ".visible .entry KERNEL() { .shared .align 4 .b8 tile[64]; .reg .b32 %r<2>; .reg .b64 %rd<2>;"
      " mov.u64 %rd1, own; ld.shared.u32 %r1, [tile+4]; call helper; ret; }";
  const auto named = [&](const std::string& kernel) {
    std::string text = body;
    return text.replace(text.find("KERNEL"), 6, kernel);
  };
  const ptx::Module module = linked({named("a"), named("b")});
  int number = 0;
  for (const std::string kernel : {"a", "b"}) {
    const std::string end = "." + std::to_string(++number);
    const ptx::Function* function = module.find_function(kernel);
    ASSERT_NE(function, nullptr);
    EXPECT_EQ(function->variables[0].name, "tile" + end);
    EXPECT_EQ(function->body[0].operands[1].name, "own" + end);
    EXPECT_EQ(function->body[1].operands[1].name, "tile" + end);
    EXPECT_EQ(function->body[2].operands[0].name, "helper" + end);
    ASSERT_NE(variable(module, "address" + end), nullptr);
    EXPECT_EQ(variable(module, "address" + end)->relocations[0].symbol, "own" + end);
    EXPECT_FALSE(module.find_function("helper" + end)->is_declaration);
  }
}

TEST(Link, NamesThatOnlyOneModuleHasStayAsTheyAre) {
  const ptx::Module module = linked({".global .u32 mine;", ".global .u32 yours;"});
  EXPECT_NE(variable(module, "mine"), nullptr);
  EXPECT_NE(variable(module, "yours"), nullptr);
}

TEST(Link, OfWeakDefinitionsTheFirstIsKeptAndAStrongOneWins) {
  const std::string one = ".weak .global .u32 x = 1;", two = ".weak .global .u32 x = 2;",
                    strong = ".visible .global .u32 x = 3;";
  EXPECT_EQ(linked({one, two}).variables[0].initial[0], 1);
  EXPECT_EQ(linked({one, strong, two}).variables[0].initial[0], 3);
  EXPECT_EQ(linked({strong, one}).variables[0].initial[0], 3);
}

TEST(Link, DynamicSharedMemoryIsOneArrayOfTheLargestAlignment) {
  const ptx::Module module = linked(
      {".extern .shared .align 4 .b8 dynamic[];", ".extern .shared .align 16 .b8 dynamic[];"});
  ASSERT_EQ(module.variables.size(), 1u);
  EXPECT_EQ(module.variables[0].alignment, 16u);
}

TEST(Link, SourceLinesKeepTheirFiles) {
  const auto body = [](const std::string& file, const std::string& kernel) {
    return ".visible .entry " + kernel +
           "() { .loc 1 5 1\n .loc 1 9 1, function_name L, inlined_at 1 5 1\n ret; }\n" +
           ".file 1 \"" + file + "\"\n.section .debug_str { L: .b8 0 }";
  };
  const ptx::Module module = linked({body("one.cu", "a"), body("two.cu", "b")});
  for (const auto& [kernel, file] : {std::pair("a", "one.cu"), std::pair("b", "two.cu")}) {
    const ptx::SourceLocation location = module.find_function(kernel)->body[0].location;
    EXPECT_EQ(module.files.at(location.file), file);
    ASSERT_GE(location.inlined_at, 0);
    const ptx::SourceLocation caller =
        module.locations.at(static_cast<size_t>(location.inlined_at));
    EXPECT_EQ(module.files.at(caller.file), file);
  }
}

TEST(Link, RefusesWhatADeviceLinkerRefuses) {
  const std::string x = ".visible .global .u32 x;", f = ".visible .func f() { ret; }";
  EXPECT_THAT(refusal({x, x}), HasSubstr("`x` is defined in two objects"));
  EXPECT_THAT(refusal({f, f}), HasSubstr("`f` is defined in two objects"));
  EXPECT_THAT(refusal({x, ".visible .func x() { ret; }"}), HasSubstr("`x` is a function"));
  EXPECT_THAT(refusal({".extern .global .u32 x;"}), HasSubstr("`x` is declared extern"));
  EXPECT_THAT(refusal({".extern .const .u32 x;", f}), HasSubstr("`x` is declared extern"));
  EXPECT_EQ(refusal({".extern .func vprintf();", f}), "linked");
}

}  // namespace
}  // namespace vgpu
