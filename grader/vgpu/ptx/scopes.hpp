// The names of one function: registers, variables and labels in nested `{ }` scopes.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ptx/module.hpp"

namespace vgpu::ptx {

/// Fills `registers`, `variables` and `labels` of a Function. A name of a nested scope, which may
/// hide or repeat others, gets the number of its scope ("t@3"): `@` is in no PTX name. Every
/// string_view must outlive the object. Errors (a name declared twice, nesting too deep, ...) are
/// ParseErrors.
class Scopes {
 public:
  explicit Scopes(Function& function) : function_(function), scopes_(1) {}

  void open(int line);
  void close();
  bool is_nested() const { return depth_ > 0; }

  void declare_register(std::string_view name, Type type, int line);
  /// `%r<37>` declares %r0 to %r36. Only those that are looked up later become registers of the
  /// function.
  void declare_register_range(std::string_view prefix, Type type, uint64_t count, int line);
  /// Declares a parameter: it keeps its name.
  void declare_parameter(std::string_view name, int line);
  void declare_variable(std::string_view name, Variable variable, int line);
  /// Declares a name that only labels' users see: a label here, a .branchtargets or .callprototype
  /// table. Returns its unique name.
  const std::string& declare_label(std::string_view name, int line);

  struct Found {
    int reg = -1;                           ///< register, or -1
    const std::string* variable = nullptr;  ///< unique name of a variable or parameter, or nullptr
  };
  /// The register or variable that `name` means here.
  Found find(std::string_view name);

  /// Where a label is used: forward references are resolved when the whole body is known.
  struct LabelUse {
    std::string_view name;
    size_t scope = 0;
    int line = 0;
  };
  LabelUse use_label(std::string_view name, int line) const { return {name, current_, line}; }
  /// Unique name of the label that is meant; ParseError when there is none.
  const std::string& resolve(const LabelUse& use) const;

 private:
  struct Entry {
    enum class Kind : uint8_t { Register, Variable, Label };
    Kind kind;
    int reg = -1;
    std::string unique_name;
  };
  struct Range {
    Type type;
    uint64_t count;
  };
  struct Scope {
    size_t parent = 0;
    std::unordered_map<std::string_view, Entry> names;
    std::unordered_map<std::string_view, Range> ranges;
  };

  Entry& declare(std::string_view name, Entry::Kind kind, int line);
  static std::string unique(std::string_view name, size_t scope);
  int add_register(std::string unique_name, Type type);

  Function& function_;
  std::vector<Scope> scopes_;  // all of them, also closed ones: labels are resolved at the end
  size_t current_ = 0;
  int depth_ = 0;
};

}  // namespace vgpu::ptx
