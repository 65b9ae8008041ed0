#include "program/link.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "program/error.hpp"

namespace vgpu {
namespace {

using ptx::Linkage;
using Names = std::unordered_map<std::string, std::string>;

bool is_defined(const ptx::Variable& v) {
  return v.linkage != Linkage::Extern;
}

bool is_defined(const ptx::Function& f) {
  return !f.is_declaration;
}

// Shared arrays in functions too: for the kernels that call them they are all in one table.
std::set<std::string> local_names(const ptx::Module& module) {
  std::set<std::string> names;
  for (const ptx::Variable& v : module.variables)
    if (v.linkage == Linkage::Local) names.insert(v.name);
  for (const ptx::Function& f : module.functions) {
    if (f.linkage == Linkage::Local && is_defined(f)) names.insert(f.name);
    for (const ptx::Variable& v : f.variables)
      if (v.space == ptx::Space::Shared) names.insert(v.name);
  }
  return names;
}

std::set<std::string> all_names(const ptx::Module& module) {
  std::set<std::string> names = local_names(module);
  for (const ptx::Variable& v : module.variables) names.insert(v.name);
  for (const ptx::Function& f : module.functions) names.insert(f.name);
  return names;
}

void replace(std::string& name, const Names& names) {
  if (const auto found = names.find(name); found != names.end()) name = found->second;
}

void replace(ptx::Operand& operand, const Names& names) {
  if (operand.kind != ptx::Operand::Kind::Label) replace(operand.name, names);
  for (ptx::Operand& element : operand.elements) replace(element, names);
}

void replace(ptx::Module& module, const Names& names) {
  for (ptx::Variable& v : module.variables) {
    replace(v.name, names);
    for (auto& relocation : v.relocations) replace(relocation.symbol, names);
  }
  for (ptx::Function& f : module.functions) {
    replace(f.name, names);
    for (ptx::Variable& v : f.variables) replace(v.name, names);
    for (ptx::Instruction& i : f.body)
      for (ptx::Operand& operand : i.operands) replace(operand, names);
  }
  std::unordered_map<std::string, std::string> aliases;
  for (auto [alias, function] : module.aliases) {
    replace(function, names);
    aliases.emplace(alias, function);
  }
  module.aliases = std::move(aliases);
}

// Local names that another module has too get the module's number, in the form that demanglers
// take for a clone.
void separate_local_names(std::vector<ptx::Module>& modules) {
  std::unordered_map<std::string, int> holders;
  for (const ptx::Module& module : modules)
    for (const std::string& name : all_names(module)) ++holders[name];
  for (size_t m = 0; m < modules.size(); ++m) {
    Names names;
    for (const std::string& name : local_names(modules[m]))
      if (holders[name] > 1) names[name] = name + "." + std::to_string(m + 1);
    replace(modules[m], names);
  }
}

class Linker {
 public:
  void add(ptx::Module module) {
    if (result_.target.empty()) result_.target = module.target;
    auto version = [](ptx::Module& of) { return std::tie(of.version_major, of.version_minor); };
    version(result_) = std::max(version(result_), version(module));
    move_locations(module);
    for (ptx::Variable& v : module.variables) merge(result_.variables, std::move(v));
    for (ptx::Function& f : module.functions) merge(result_.functions, std::move(f));
    result_.aliases.merge(module.aliases);
  }

  ptx::Module finish() { return std::move(result_); }

 private:
  template <typename Symbol>
  void merge(std::vector<Symbol>& symbols, Symbol symbol) {
    const auto [index, is_new] = indices_.try_emplace(symbol.name, symbols.size());
    if (is_new) {
      symbols.push_back(std::move(symbol));
      return;
    }
    if (index->second >= symbols.size() || symbols[index->second].name != symbol.name)
      throw ProgramError("`" + symbol.name + "` is a function here and a variable there");
    Symbol& known = symbols[index->second];
    if constexpr (std::is_same_v<Symbol, ptx::Variable>)
      known.alignment = symbol.alignment = std::max(known.alignment, symbol.alignment);
    if (!is_defined(symbol)) return;
    if (is_defined(known) && symbol.linkage == Linkage::Weak) return;
    if (is_defined(known) && known.linkage != Linkage::Weak)
      throw ProgramError("`" + symbol.name + "` is defined in two objects");
    known = std::move(symbol);
  }

  // Files and call sites have numbers of their own in each module.
  void move_locations(ptx::Module& module) {
    std::unordered_map<int, int> files;
    for (const auto& [number, path] : module.files) {
      files[number] = static_cast<int>(result_.files.size()) + 1;
      result_.files[files[number]] = path;
    }
    const auto first = static_cast<int>(result_.locations.size());
    const auto move = [&](ptx::SourceLocation& location) {
      const auto file = files.find(location.file);
      location.file = file == files.end() ? 0 : file->second;
      if (location.inlined_at >= 0) location.inlined_at += first;
    };
    for (ptx::SourceLocation& location : module.locations) {
      move(location);
      result_.locations.push_back(location);
    }
    for (ptx::Function& f : module.functions)
      for (ptx::Instruction& i : f.body) move(i.location);
  }

  ptx::Module result_;
  std::unordered_map<std::string, size_t> indices_;
};

}  // namespace

ptx::Module link(std::vector<ptx::Module> modules) {
  if (modules.size() > 1) {
    separate_local_names(modules);
    Linker linker;
    for (ptx::Module& module : modules) linker.add(std::move(module));
    modules = {linker.finish()};
  }
  for (const ptx::Variable& v : modules.front().variables)
    if (!is_defined(v) && v.space != ptx::Space::Shared)
      throw ProgramError("the variable `" + v.name +
                         "` is declared extern, and no object with usable PTX defines it");
  return std::move(modules.front());
}

}  // namespace vgpu
