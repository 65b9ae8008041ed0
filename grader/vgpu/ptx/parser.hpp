// PTX text -> ptx::Module.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "ptx/module.hpp"

namespace vgpu::ptx {

/// Raised for text that is not PTX of the kind nvcc emits. `line` is the line in the PTX text.
struct ParseError : std::runtime_error {
  ParseError(int line, const std::string& what);
  int line;
};

/// Parses one PTX module. Never reads outside `text`, never recurses without a bound: the text may
/// come from a hostile object. Throws ParseError. Unknown opcodes are not an error here (the
/// decoder names them).
Module parse(std::string_view text);

}  // namespace vgpu::ptx
