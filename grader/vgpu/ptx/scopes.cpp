#include "ptx/scopes.hpp"

#include "ptx/lexer.hpp"
#include "ptx/parser.hpp"

namespace vgpu::ptx {
namespace {

constexpr int kDeepestNesting = 64;

// "%r12" -> its length without the digits (2), when the digits are written as nvcc numbers
// registers.
size_t prefix_length(std::string_view name, uint64_t* index) {
  size_t length = name.size();
  while (length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9') --length;
  const std::string_view digits = name.substr(length);
  if (digits.empty() || digits.size() > 9 || (digits.size() > 1 && digits.front() == '0')) return 0;
  *index = 0;
  for (const char digit : digits) *index = *index * 10 + static_cast<uint64_t>(digit - '0');
  return length;
}

}  // namespace

void Scopes::open(int line) {
  if (++depth_ > kDeepestNesting) throw ParseError(line, "scopes are nested too deeply");
  scopes_.push_back({.parent = current_, .names = {}, .ranges = {}});
  current_ = scopes_.size() - 1;
}

void Scopes::close() {
  current_ = scopes_[current_].parent;
  --depth_;
}

std::string Scopes::unique(std::string_view name, size_t scope) {
  return scope == 0 ? std::string(name) : std::string(name) + "@" + std::to_string(scope);
}

Scopes::Entry& Scopes::declare(std::string_view name, Entry::Kind kind, int line) {
  const auto [entry, is_new] =
      scopes_[current_].names.try_emplace(name, Entry{kind, -1, unique(name, current_)});
  if (!is_new) throw ParseError(line, quoted(name) + " is declared twice in one scope");
  return entry->second;
}

int Scopes::add_register(std::string unique_name, Type type) {
  function_.registers.push_back({std::move(unique_name), type});
  return static_cast<int>(function_.registers.size() - 1);
}

void Scopes::declare_register(std::string_view name, Type type, int line) {
  Entry& entry = declare(name, Entry::Kind::Register, line);
  entry.reg = add_register(entry.unique_name, type);
}

void Scopes::declare_register_range(std::string_view prefix, Type type, uint64_t count, int line) {
  if (!scopes_[current_].ranges.try_emplace(prefix, Range{type, count}).second) {
    throw ParseError(line, "registers " + quoted(prefix) + "<> are declared twice in one scope");
  }
}

void Scopes::declare_parameter(std::string_view name, int line) {
  declare(name, Entry::Kind::Variable, line);
}

void Scopes::declare_variable(std::string_view name, Variable variable, int line) {
  variable.name = declare(name, Entry::Kind::Variable, line).unique_name;
  function_.variables.push_back(std::move(variable));
}

const std::string& Scopes::declare_label(std::string_view name, int line) {
  return declare(name, Entry::Kind::Label, line).unique_name;
}

Scopes::Found Scopes::find(std::string_view name) {
  uint64_t index = 0;
  const std::string_view prefix = name.substr(0, prefix_length(name, &index));
  for (size_t i = current_;; i = scopes_[i].parent) {
    Scope& scope = scopes_[i];
    const auto found = scope.names.find(name);
    if (found != scope.names.end()) {
      const Entry& entry = found->second;
      if (entry.kind == Entry::Kind::Register) return {.reg = entry.reg};
      if (entry.kind == Entry::Kind::Variable) return {.variable = &entry.unique_name};
    }
    const auto range = prefix.empty() ? scope.ranges.end() : scope.ranges.find(prefix);
    if (range != scope.ranges.end() && index < range->second.count) {
      const int reg = add_register(unique(name, i), range->second.type);
      scope.names.try_emplace(name, Entry{Entry::Kind::Register, reg, {}});
      return {.reg = reg};
    }
    if (i == 0) return {};
  }
}

const std::string& Scopes::resolve(const LabelUse& use) const {
  for (size_t i = use.scope;; i = scopes_[i].parent) {
    const auto found = scopes_[i].names.find(use.name);
    if (found != scopes_[i].names.end() && found->second.kind == Entry::Kind::Label) {
      return found->second.unique_name;
    }
    if (i == 0) throw ParseError(use.line, quoted(use.name) + " is not declared");
  }
}

}  // namespace vgpu::ptx
