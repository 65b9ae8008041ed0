// Variables, initial values, parameters, functions' headers, module directives.
#include <gmock/gmock.h>

#include <cstring>

#include "parse_helpers.hpp"

namespace vgpu::ptx {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Variable variable_of(std::string_view declaration) {
  return parse_module(declaration).variables.at(0);
}

template <typename T>
std::vector<T> values_of(const Variable& variable) {
  std::vector<T> values(variable.initial.size() / sizeof(T));
  std::memcpy(values.data(), variable.initial.data(), variable.initial.size());
  return values;
}

TEST(Module, HeaderAndFiles) {
  const Module module = parse(
      ".version 8.7\n.target sm_90a, debug\n.address_size 64\n.file 1 \"/a/b.cu\", 12, 34\n.file 2 "
      "\"c.h\"\n"
      ".section .debug_str\n{\n$L__info_string0:\n.b8 95,90\n}\n.pragma \"nounroll\";\n");
  EXPECT_EQ(module.version_major, 8);
  EXPECT_EQ(module.version_minor, 7);
  EXPECT_EQ(module.target, "sm_90a");
  EXPECT_EQ(module.files.at(1), "/a/b.cu");
  EXPECT_EQ(module.files.at(2), "c.h");
}

TEST(Variable, ArrayWithAlignment) {
  const Variable variable = variable_of(".visible .global .align 16 .b8 a[24];");
  EXPECT_EQ(variable.name, "a");
  EXPECT_EQ(variable.space, Space::Global);
  EXPECT_EQ(variable.type, Type::B8);
  EXPECT_EQ(variable.alignment, 16u);
  EXPECT_EQ(variable.size(), 24u);
  EXPECT_TRUE(variable.is_array);
  EXPECT_EQ(variable.linkage, Linkage::Visible);
  EXPECT_THAT(variable.initial, IsEmpty());
}

TEST(Variable, ExternalUnsizedShared) {
  const Variable variable = variable_of(".extern .shared .align 16 .b8 dynamic[];");
  EXPECT_EQ(variable.space, Space::Shared);
  EXPECT_EQ(variable.count, 0u);
  EXPECT_TRUE(variable.is_array);
  EXPECT_EQ(variable.linkage, Linkage::Extern);
}

TEST(Variable, NaturalAlignmentVectorsListsAndAttributes) {
  const Module module = parse_module(
      ".global .attribute(.managed) .u32 m = 7; .const .v4 .f32 q; .weak .global .f64 a[2][3], b;");
  ASSERT_EQ(module.variables.size(), 4u);
  EXPECT_EQ(module.variables[0].alignment, 4u);
  EXPECT_THAT(values_of<uint32_t>(module.variables[0]), ElementsAre(7u));
  EXPECT_EQ(module.variables[1].size(), 16u);
  EXPECT_EQ(module.variables[1].alignment, 16u);
  EXPECT_EQ(module.variables[2].count, 6u);
  EXPECT_EQ(module.variables[3].count, 1u);
}

TEST(InitialValue, IntegersArePadded) {
  EXPECT_THAT(values_of<int16_t>(variable_of(".global .s16 a[4] = {-1, 0x7F};")),
              ElementsAre(-1, 127, 0, 0));
  EXPECT_THAT(values_of<int64_t>(variable_of(".global .u64 a = -5;")), ElementsAre(-5));
  EXPECT_THAT(values_of<uint8_t>(variable_of(".global .b8 a[] = {1, 2, 3};")),
              ElementsAre(1, 2, 3));
}

TEST(InitialValue, Floats) {
  EXPECT_THAT(values_of<float>(variable_of(".global .f32 a[4] = {0f3FC00000, -2.5, 3};")),
              ElementsAre(1.5f, -2.5f, 3.0f, 0.0f));
  EXPECT_THAT(
      values_of<double>(variable_of(".global .f64 a[3] = {0d400C000000000000, -0f3FC00000, 7};")),
      ElementsAre(3.5, -1.5, 7.0));
}

TEST(InitialValue, Addresses) {
  const Variable variable = variable_of(".global .u64 a[4] = {5, x, generic(y)+12, z-4};");
  ASSERT_EQ(variable.relocations.size(), 3u);
  EXPECT_THAT(values_of<uint64_t>(variable), ElementsAre(5, 0, 0, 0));
  EXPECT_EQ(variable.relocations[0].offset, 8u);
  EXPECT_EQ(variable.relocations[0].symbol, "x");
  EXPECT_FALSE(variable.relocations[0].generic);
  EXPECT_EQ(variable.relocations[1].symbol, "y");
  EXPECT_EQ(variable.relocations[1].addend, 12);
  EXPECT_TRUE(variable.relocations[1].generic);
  EXPECT_EQ(variable.relocations[2].offset, 24u);
  EXPECT_EQ(variable.relocations[2].addend, -4);
}

constexpr std::string_view kPackedAddress =
    "0XFF(generic(g)+8), 0xFF00(generic(g)+8), 0xFF0000(generic(g)+8), 0xFF000000(generic(g)+8), "
    "0xFF00000000(generic(g)+8), 0xFF0000000000(generic(g)+8), 0xFF000000000000(generic(g)+8), "
    "0xFF00000000000000(generic(g)+8)";

TEST(InitialValue, AddressInsideAPackedStruct) {
  const Variable variable =
      variable_of(".global .u8 a[10] = {1, " + std::string(kPackedAddress) + ", 5};");
  ASSERT_EQ(variable.relocations.size(), 1u);
  EXPECT_EQ(variable.relocations[0].offset, 1u);
  EXPECT_EQ(variable.relocations[0].symbol, "g");
  EXPECT_EQ(variable.relocations[0].addend, 8);
  EXPECT_TRUE(variable.relocations[0].generic);
  EXPECT_THAT(values_of<uint8_t>(variable), ElementsAre(1, 0, 0, 0, 0, 0, 0, 0, 0, 5));
}

TEST(InitialValue, RefusesWhatDoesNotFit) {
  for (const char* declaration :
       {".global .b8 a[2] = {1, 2, 3};", ".global .u32 a = x;", ".global .b16 a = 0f3FC00000;",
        ".global .u8 a[8] = {0xFF(g), 0xFF00(g)};", ".global .u8 a[2] = {0xFF(g), 0xFF00(h)};",
        ".global .u8 a[2] = {0xFF00(g)};", ".global .b8 a[300000000] = {1};",
        ".global .b8 a[2] = {1 2};",
        ".global .b8 a[200000000] = {1}; .global .b8 b[200000000] = {1};"}) {
    EXPECT_THROW(parse_module(declaration), ParseError) << declaration;
  }
}

TEST(Variable, RefusesMalformedOnes) {
  for (const char* declaration : {".global a;", ".global .pred a;", ".global .b8;", ".global .b8 a",
                                  ".global .align 3 .b8 a;", ".global .b8 a[99999999999999999999];",
                                  ".global .b64 a[1000000][1000000];", ".global .b8 a[-1];",
                                  ".global .b128 a[4294967296][4294967296];", ".local .b8 a;",
                                  ".nonsense .b8 a;", ".visible"}) {
    EXPECT_THROW(parse_module(declaration), ParseError) << declaration;
  }
}

TEST(FunctionHeader, EntryWithParametersAndLimits) {
  const Module module = parse_module(
      ".visible .entry k(\n.param .u64 .ptr .global .align 4 k_param_0,\n.param .align 8 .b8 "
      "k_param_1[32]\n)\n"
      ".maxntid 128, 2\n.reqntid 64\n.minnctapersm 2\n.maxnreg 32\n.reqnctapercluster 2, 1, "
      "1\n.explicitcluster\n"
      "{\nret;\n}\n");
  const Function& function = module.functions.at(0);
  EXPECT_TRUE(function.is_entry);
  EXPECT_FALSE(function.is_declaration);
  ASSERT_EQ(function.params.size(), 2u);
  EXPECT_EQ(function.params[0].alignment, 8u) << "the .align after .ptr is that of the target";
  EXPECT_EQ(function.params[0].space, Space::Param);
  EXPECT_EQ(function.params[1].size(), 32u);
  EXPECT_THAT(function.max_threads, ElementsAre(128u, 2u, 1u));
  EXPECT_THAT(function.required_threads, ElementsAre(64u, 1u, 1u));
  EXPECT_EQ(function.min_blocks_per_sm, 2u);
}

TEST(FunctionHeader, DefinitionReplacesDeclaration) {
  const Module module = parse_module(
      ".func (.param .b32 r) f(.param .b32 f_0);\n.extern .func die() .noreturn;\n"
      ".weak .func (.param .b32 r) f(.param .b32 f_0) { ret; }\n.func (.param .b32 r) f(.param "
      ".b32 f_0);\n"
      ".alias g, f;");
  ASSERT_EQ(module.functions.size(), 2u);
  const Function* f = module.find_function("f");
  ASSERT_NE(f, nullptr);
  EXPECT_FALSE(f->is_declaration);
  EXPECT_EQ(f->returns.size(), 1u);
  EXPECT_EQ(module.find_function("g"), f);
  EXPECT_EQ(module.find_function("h"), nullptr);
  EXPECT_TRUE(module.find_function("die")->is_declaration);
  EXPECT_TRUE(module.find_function("die")->is_noreturn);
}

TEST(Types, NamesAndSizes) {
  EXPECT_EQ(type_from_name("bf16x2"), Type::BF16x2);
  EXPECT_EQ(type_from_name("f64"), Type::F64);
  EXPECT_EQ(type_from_name("x32"), Type::None);
  EXPECT_EQ(size_of(Type::B128), 16u);
  EXPECT_EQ(size_of(Type::BF16x2), 4u);
  EXPECT_EQ(size_of(Type::Pred), 0u);
  EXPECT_EQ(size_of(Type::F64), 8u);
}

}  // namespace
}  // namespace vgpu::ptx
