// Statements: guards, scopes with repeated names, labels, tables, calls.
#include <gmock/gmock.h>

#include "parse_helpers.hpp"

namespace vgpu::ptx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string register_name(const Function& function, const Operand& operand) {
  return function.registers.at(operand.reg).name;
}

TEST(Instruction, OpcodeModifiersGuardAndLine) {
  const Function function =
      parse_body("@!%p1 ld.global.nc.L2::128B.v2.f32 {%f1, %f2}, [%rd1+16];\nret;");
  ASSERT_EQ(function.body.size(), 2u);
  const Instruction& load = function.body[0];
  EXPECT_EQ(load.opcode, "ld");
  EXPECT_THAT(load.modifiers, ElementsAre("global", "nc", "L2::128B", "v2", "f32"));
  EXPECT_EQ(load.mnemonic(), "ld.global.nc.L2::128B.v2.f32");
  EXPECT_TRUE(load.has("nc"));
  EXPECT_FALSE(load.has("volatile"));
  EXPECT_EQ(function.registers.at(load.guard).name, "%p1");
  EXPECT_TRUE(load.guard_negated);
  EXPECT_EQ(load.ptx_line, 6);
  EXPECT_EQ(function.body[1].guard, -1);
  EXPECT_EQ(function.body[1].ptx_line, 7);
}

TEST(Registers, OnlyThoseUsedExist) {
  const Function function = parse_body("mov.u32 %r3, %r9;");
  ASSERT_EQ(function.registers.size(), 2u);
  EXPECT_EQ(function.registers[0].name, "%r3");
  EXPECT_EQ(function.registers[0].type, Type::B32);
  EXPECT_EQ(function.registers[1].name, "%r9");
}

TEST(Registers, RangeEndsBeforeItsCount) {
  EXPECT_EQ(parse_body("mov.u32 %r1, %r10;").body[0].operands[1].kind, Operand::Kind::Special);
  EXPECT_EQ(parse_body("mov.u32 %r1, %r01;").body[0].operands[1].kind, Operand::Kind::Special);
}

TEST(Scopes, InnerNamesHideOuterOnesAndAreUnique) {
  const Function function = parse_body(
      ".reg .b32 t;\nmov.u32 t, 1;\n"
      "{ .reg .b32 t; mov.u32 t, 2; { .reg .b32 t; mov.u32 t, 3; } mov.u32 t, 4; }\n"
      "{ .reg .pred t; @t mov.u32 %r1, 5; }\nmov.u32 t, 6;");
  const auto destination = [&](size_t i) { return function.body[i].operands[0].reg; };
  EXPECT_EQ(destination(0), destination(5));
  EXPECT_EQ(destination(1), destination(3));
  EXPECT_NE(destination(0), destination(1));
  EXPECT_NE(destination(1), destination(2));
  EXPECT_EQ(function.registers[destination(0)].name, "t");
  EXPECT_EQ(function.registers[destination(1)].name, "t@1");
  EXPECT_EQ(function.registers[function.body[4].guard].type, Type::Pred);
}

TEST(Scopes, RangesNestToo) {
  const Function function = parse_body(
      "mov.u32 %r1, 1; { .reg .b64 %r<4>; mov.u64 %r1, 1; mov.u32 %r5, 1; } mov.u32 %r1, 2;");
  const auto name = [&](size_t i) { return register_name(function, function.body[i].operands[0]); };
  EXPECT_EQ(name(0), "%r1");
  EXPECT_EQ(name(1), "%r1@1");
  EXPECT_EQ(name(2), "%r5");
  EXPECT_EQ(name(3), "%r1");
}

TEST(Labels, ForwardBackwardAndAtTheEnd) {
  const Function function = parse_body("$L1:\nbra.uni $L2;\n@%p1 bra $L1;\n$L2:\nret;\n$end:");
  EXPECT_EQ(function.labels.at("$L1"), 0u);
  EXPECT_EQ(function.labels.at("$L2"), 2u);
  EXPECT_EQ(function.labels.at("$end"), 3u);
  EXPECT_EQ(function.body[0].operands[0].kind, Operand::Kind::Label);
  EXPECT_EQ(function.body[0].operands[0].name, "$L2");
}

TEST(Labels, AForwardLabelOfTheScopeWinsOverAnOuterOne) {
  const Function function = parse_body(
      "done: { bra done; ret; done: ret; }\n{ bra done; }\n{ { bra done; } mov.u32 %r1, 1; done: "
      "}");
  EXPECT_EQ(function.labels.at("done"), 0u);
  EXPECT_EQ(function.labels.at("done@1"), 2u);
  EXPECT_EQ(function.body[0].operands[0].name, "done@1");
  EXPECT_EQ(function.body[3].operands[0].name, "done");
  EXPECT_EQ(function.body[4].operands[0].name, "done@3");
  EXPECT_EQ(function.labels.at("done@3"), 6u);
}

TEST(Labels, BranchTargetIsALabelEvenBesideAVariableOfThatName) {
  const Function function =
      parse_body("bra table;\nmov.u64 %rd1, table;\n{ table: ret; bra table; }\ntable:");
  EXPECT_EQ(function.body[0].operands[0].kind, Operand::Kind::Label);
  EXPECT_EQ(function.body[1].operands[1].kind, Operand::Kind::Symbol);
  EXPECT_EQ(function.body[3].operands[0].name, "table@1");
}

TEST(Labels, BranchTargets) {
  const Function function = parse_body(
      "ts: .branchtargets $A, $B;\nbrx.idx %r1, ts;\n$A: { ts: .branchtargets $B, in; brx.idx %r2, "
      "ts; in: }\n$B:");
  EXPECT_THAT(function.branch_targets.at("ts"), ElementsAre("$A", "$B"));
  EXPECT_THAT(function.branch_targets.at("ts@1"), ElementsAre("$B", "in@1"));
  EXPECT_EQ(function.body[0].operands[1].name, "ts");
  EXPECT_EQ(function.body[1].operands[1].name, "ts@1");
  EXPECT_FALSE(function.labels.contains("ts"));
}

constexpr std::string_view kCall = R"(
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.func (.param .b32 func_retval0) f(.param .b32 f_param_0) {
  .reg .b32 %r<9>; .reg .b64 %rd<9>;
  ld.param.u32 %r1, [f_param_0];
  { // callseq 0, 0
  .reg .b32 temp_param_reg;
  .param .b32 param0;
  st.param.b32 [param0+0], %r1;
  .param .b32 retval0;
  call.uni (retval0),
  f,
  (
  param0
  );
  ld.param.b32 %r2, [retval0+0];
  }
  {
  .param .b64 param0;
  .param .align 8 .b8 retval0[16];
  prototype_4 : .callprototype (.param .align 8 .b8 _[16]) _ (.param .b64 _, .param .b64 _) .noreturn;
  call (retval0), %rd1, (param0, %rd2, 5), prototype_4;
  }
  call vprintf;
  st.param.b32 [func_retval0], %r2;
  ret;
})";

TEST(Calls, ScratchParametersOfEachCallAreTheirOwn) {
  const Module module = parse_module(kCall);
  const Function& f = *module.find_function("f");
  EXPECT_TRUE(module.find_function("vprintf")->is_declaration);
  std::vector<std::string> names;
  for (const Variable& variable : f.variables) names.push_back(variable.name);
  EXPECT_THAT(names, ElementsAre("param0@1", "retval0@1", "param0@2", "retval0@2"));

  const Instruction& direct = f.body[2];
  ASSERT_EQ(direct.operands.size(), 3u);
  EXPECT_EQ(direct.operands[0].kind, Operand::Kind::List);
  EXPECT_EQ(direct.operands[0].elements.at(0).name, "retval0@1");
  EXPECT_EQ(direct.operands[1].kind, Operand::Kind::Symbol);
  EXPECT_EQ(direct.operands[1].name, "f");
  EXPECT_EQ(direct.operands[2].elements.at(0).name, "param0@1");
  EXPECT_EQ(f.body[3].operands[1].name, "retval0@1");
  EXPECT_EQ(f.body[0].operands[1].name, "f_param_0");
  EXPECT_EQ(f.body[6].operands[0].name, "func_retval0");
}

TEST(Calls, IndirectWithPrototype) {
  const Module module = parse_module(kCall);
  const Function& f = *module.find_function("f");
  const Instruction& indirect = f.body[4];
  ASSERT_EQ(indirect.operands.size(), 4u);
  EXPECT_EQ(indirect.operands[1].kind, Operand::Kind::Register);
  EXPECT_EQ(indirect.operands[2].elements.size(), 3u);
  EXPECT_EQ(indirect.operands[3].kind, Operand::Kind::Label);
  const Function& prototype = f.call_prototypes.at(indirect.operands[3].name);
  EXPECT_EQ(prototype.params.size(), 2u);
  EXPECT_EQ(prototype.returns.at(0).size(), 16u);
  EXPECT_TRUE(prototype.is_noreturn);
}

TEST(Calls, RegisterParametersBecomeRegisters) {
  const Module module =
      parse_module(".func (.reg .b32 %r) f(.reg .f32 %x) { cvt.rni.s32.f32 %r, %x; ret; }");
  const Function& f = module.functions.at(0);
  EXPECT_EQ(f.params.at(0).space, Space::Reg);
  EXPECT_EQ(register_name(f, f.body[0].operands[0]), "%r");
  EXPECT_EQ(f.registers[f.body[0].operands[1].reg].type, Type::F32);
}

TEST(Variables, SharedAndLocalInsideAFunction) {
  const Function function =
      parse_body(".local .align 8 .b8 depot[24]; .shared .f32 s[4]; mov.u64 %rd1, depot;");
  ASSERT_EQ(function.variables.size(), 2u);
  EXPECT_EQ(function.variables[0].space, Space::Local);
  EXPECT_EQ(function.variables[0].alignment, 8u);
  EXPECT_EQ(function.variables[1].space, Space::Shared);
  EXPECT_EQ(function.variables[1].size(), 16u);
}

TEST(FunctionErrors, NameTheProblem) {
  const auto error = [](std::string_view body) { return parse_error([&] { parse_body(body); }); };
  EXPECT_THAT(error("bra nowhere;"), HasSubstr("PTX line 6: 'nowhere' is not declared"));
  EXPECT_THAT(error("\nadd.s32 %r1, %r2, %r3\nret;"),
              HasSubstr("line 8: expected ',' after an operand"));
  EXPECT_THAT(error("a: ret; a: ret;"), HasSubstr("'a' is declared twice"));
  EXPECT_THAT(error("{ b: } bra b;"), HasSubstr("'b' is not declared"));
  EXPECT_THAT(error("@%r1 ret;"), HasSubstr("must be a predicate"));
  EXPECT_THAT(error("@%p9 ret;"), HasSubstr("'%p9' is not a declared register"));
  EXPECT_THAT(error("%r1 = 5;"), HasSubstr("expected an instruction but found '%r1'"));
  EXPECT_THAT(error(".global .b8 a;"), HasSubstr("'.global' is not supported inside a function"));
  EXPECT_THAT(error(".shared .b8 a = 1;"), HasSubstr("an initial value is not allowed here"));
  EXPECT_THAT(error(".reg .b32 %r<3>;"), HasSubstr("'%r'<> are declared twice"));
  EXPECT_THAT(error("ret;;"), HasSubstr("expected a statement but found ';'"));
  EXPECT_THAT(error("ts: .branchtargets a;"), HasSubstr("'a' is not declared"));
  EXPECT_THAT(error(std::string(100, '{')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error("ret; } ret;"), HasSubstr("expected a directive but found 'ret'"));
  EXPECT_THAT(error("{ ret;"), HasSubstr("expected a statement but found the end of the text"));
}

}  // namespace
}  // namespace vgpu::ptx
