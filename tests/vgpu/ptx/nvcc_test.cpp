// Everything that nvcc emits is understood: each parsed function is printed again and compared,
// statement by statement, with the text, which a deliberately simple splitter takes apart here.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "ptx/parser.hpp"
#include "samples.hpp"

namespace vgpu::ptx {
namespace {

/// Without blanks, without offsets (`+4`, `+-4`) and without the `@n` of unique names; a number
/// becomes '#'.
std::string normalised(std::string statement) {
  static const std::pair<std::regex, const char*> kRules[] = {
      {std::regex(R"(@\d+)"), ""},
      {std::regex(R"(\s*\+\s*-?\d\w*)"), ""},
      {std::regex(R"((^|[^\w$%.])-?\d[\w.]*)"), "$1#"},
      {std::regex(R"(\bWARP_SZ\b)"), "#"},
      {std::regex(R"(\s+)"), ""},
  };
  for (const auto& [pattern, replacement] : kRules) {
    statement = std::regex_replace(statement, pattern, replacement);
  }
  return statement;
}

std::string printed(const Function& function, const Operand& operand);

std::string printed_list(const Function& function, const std::vector<Operand>& operands) {
  std::string text;
  for (const Operand& operand : operands)
    text += (text.empty() ? "" : ", ") + printed(function, operand);
  return text;
}

std::string printed(const Function& function, const Operand& operand) {
  const auto name = [&](int reg) { return function.registers.at(reg).name; };
  const std::string pair = operand.pair < 0 ? "" : "|" + name(operand.pair);
  switch (operand.kind) {
    case Operand::Kind::Register:
      return (operand.negated ? "!" : "") + name(operand.reg) + pair;
    case Operand::Kind::Integer:
    case Operand::Kind::Float32:
    case Operand::Kind::Float64:
      return std::to_string(operand.bits);
    case Operand::Kind::Special:
    case Operand::Kind::Symbol:
    case Operand::Kind::Label:
      return operand.name;
    case Operand::Kind::Address:
      return "[" + (operand.reg >= 0 ? name(operand.reg) : operand.name) +
             (operand.elements.empty() ? "" : ", ") + printed_list(function, operand.elements) +
             "]";
    case Operand::Kind::Vector:
      return "{" + printed_list(function, operand.elements) + "}";
    case Operand::Kind::List:
      return "(" + printed_list(function, operand.elements) + ")";
    case Operand::Kind::Sink:
      return "_" + pair;
  }
  return "?";
}

std::string printed(const Function& function, const Instruction& instruction) {
  std::string guard;
  if (instruction.guard >= 0) {
    guard = (instruction.guard_negated ? "@!" : "@") +
            function.registers.at(instruction.guard).name + " ";
  }
  return guard + instruction.mnemonic() + " " + printed_list(function, instruction.operands);
}

/// Text without comments and debug sections.
std::string stripped(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text.compare(i, 2, "//") == 0) {
      end = text.find('\n', i);
    } else if (text.compare(i, 2, "/*") == 0) {
      end = text.find("*/", i) + 2;
    } else if (text.compare(i, 9, ".section\t") == 0) {
      end = text.find('}', i) + 1;
    } else {
      result += text[i];
    }
    i = end;
  }
  return result;
}

/// Function name -> its instructions, normalised.
std::map<std::string, std::vector<std::string>> split_functions(const std::string& text) {
  static const std::regex kHeader(R"(\.(entry|func)\s+(\([^)]*\)\s*)?([\w$]+))");
  static const std::regex kPrefix(R"(^(\s|[{}]|[\w$]+\s*:(?!:)|\.loc\s[^\n]*\n))");
  std::map<std::string, std::vector<std::string>> functions;
  auto position = text.cbegin();
  std::smatch header;
  while (std::regex_search(position, text.cend(), header, kHeader)) {
    position = header[0].second;
    const auto open =
        std::find_if(position, text.cend(), [](char c) { return c == ';' || c == '{'; });
    if (*open == ';') continue;
    int depth = 0;
    auto close = open;
    do {
      depth += (*close == '{') - (*close == '}');
      ++close;
    } while (depth > 0);
    std::vector<std::string>& statements = functions[header[3]];
    std::string statement;
    for (position = open + 1; position != close; ++position) {
      if (*position != ';') {
        statement += *position;
        continue;
      }
      std::smatch prefix;
      while (std::regex_search(statement, prefix, kPrefix)) statement.erase(0, prefix.length());
      if (statement.front() != '.') statements.push_back(normalised(statement));
      statement.clear();
    }
  }
  return functions;
}

class NvccSample : public ::testing::TestWithParam<std::string> {};

TEST_P(NvccSample, IsParsedStatementByStatement) {
  const std::string text = read_sample(GetParam());
  const Module module = parse(text);
  EXPECT_EQ(module.version_major, 9);
  const auto expected = split_functions(stripped(text));
  ASSERT_FALSE(expected.empty());
  size_t definitions = 0;
  for (const Function& function : module.functions) {
    if (function.is_declaration) continue;
    ++definitions;
    std::vector<std::string> got;
    for (const Instruction& instruction : function.body)
      got.push_back(normalised(printed(function, instruction)));
    ASSERT_TRUE(expected.contains(function.name)) << function.name;
    EXPECT_EQ(got, expected.at(function.name)) << function.name;
  }
  EXPECT_EQ(definitions, expected.size());
}

TEST_P(NvccSample, EverySymbolOfAnInitialValueIsDeclared) {
  const Module module = parse(read_sample(GetParam()));
  std::set<std::string> names;
  for (const Variable& variable : module.variables) names.insert(variable.name);
  for (const Function& function : module.functions) names.insert(function.name);
  for (const Variable& variable : module.variables) {
    for (const Variable::Relocation& relocation : variable.relocations) {
      EXPECT_TRUE(names.contains(relocation.symbol))
          << relocation.symbol << " in " << variable.name;
      EXPECT_LE(relocation.offset + 8, variable.size()) << variable.name;
    }
  }
}

class LineInfoSample : public ::testing::TestWithParam<std::string> {};

TEST_P(LineInfoSample, SourceLinesAreThoseOfTheFile) {
  const Module module = parse(read_sample(GetParam()));
  size_t in_source = 0;
  for (const Function& function : module.functions) {
    for (const Instruction& instruction : function.body) {
      const SourceLocation* location = &instruction.location;
      while (location->inlined_at >= 0) location = &module.locations.at(location->inlined_at);
      const auto file = module.files.find(location->file);
      in_source +=
          file != module.files.end() && file->second.ends_with(".cu") && location->line > 0;
    }
  }
  EXPECT_GT(in_source, 20u) << "instructions whose chain of calls starts in the .cu file";
}

std::string test_name(const ::testing::TestParamInfo<std::string>& sample) {
  std::string name = sample.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, NvccSample, ::testing::ValuesIn(sample_files("")), test_name);
INSTANTIATE_TEST_SUITE_P(All, LineInfoSample, ::testing::ValuesIn(sample_files("lineinfo")),
                         test_name);

TEST(InlineAsmSample, SourceLineOfAnInlinedCall) {
  const Module module = parse(read_sample("inline_asm.sm80_lineinfo.ptx"));
  for (const Function& function : module.functions) {
    for (const Instruction& instruction : function.body) {
      if (instruction.opcode != "cp" || instruction.guard < 0) continue;
      ASSERT_GE(instruction.location.inlined_at, 0) << "copy_async() is inlined";
      const SourceLocation& call = module.locations.at(instruction.location.inlined_at);
      EXPECT_GT(call.line, instruction.location.line) << "the call is below the function";
      return;
    }
  }
  FAIL() << "no guarded cp.async";
}

}  // namespace
}  // namespace vgpu::ptx
