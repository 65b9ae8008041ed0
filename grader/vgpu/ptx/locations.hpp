// `.loc` directives: the source line of the instructions that follow, with the chain of inlined
// calls.
#pragma once

#include <map>
#include <tuple>

#include "ptx/cursor.hpp"
#include "ptx/module.hpp"

namespace vgpu::ptx {

class LocationTable {
 public:
  /// Call sites are appended to `module.locations`, each of them once.
  explicit LocationTable(Module& module) : module_(module) {}

  /// Call sites are looked up within one function only.
  void start_function() { last_at_.clear(); }

  /// Parses `FILE LINE COLUMN [, function_name LABEL [+ n], inlined_at FILE LINE COLUMN]`, which
  /// follows `.loc` (PTX ISA 9.0, section 11.5.4). nvcc writes the `.loc` of a call site before
  /// those of the code inlined there, so that a chain of calls is found by looking up the call site
  /// among the lines seen so far.
  SourceLocation parse(Cursor& cursor);

 private:
  using Position = std::tuple<int, int, int>;  // file, line, column

  static Position parse_position(Cursor& cursor);
  int intern(const SourceLocation& location);

  Module& module_;
  std::map<Position, int> last_at_;  // position -> `inlined_at` of the last .loc there
  std::map<std::tuple<Position, int>, int> indices_;
};

}  // namespace vgpu::ptx
