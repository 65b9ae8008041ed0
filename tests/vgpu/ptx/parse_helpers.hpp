// Short ways to parse a whole module or a body in a test.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "ptx/parser.hpp"

namespace vgpu::ptx {

inline constexpr std::string_view kHeader = ".version 9.0\n.target sm_80\n.address_size 64\n";

inline Module parse_module(std::string_view declarations) {
  return parse(std::string(kHeader).append(declarations));
}

/// The body is preceded by the declaration of %p0..3 (predicates), %r0..9 (b32), %f0..9 (f32) and
/// %rd0..9 (b64), and of the module's variable `table`; its first line is line 6 of the PTX text.
inline Function parse_body(std::string_view body) {
  Module module = parse_module(
      ".global .b32 table[8];\n.visible .entry kernel(.param .u64 kernel_param_0) {"
      ".reg .pred %p<4>; .reg .b32 %r<10>; .reg .f32 %f<10>; .reg .b64 %rd<10>;\n" +
      std::string(body) + "\n}\n");
  return std::move(module.functions.at(0));
}

/// The message of the ParseError that `parse_it` throws; a failure of the test when it throws none.
template <typename F>
std::string parse_error(F parse_it) {
  try {
    parse_it();
  } catch (const ParseError& error) {
    return error.what();
  }
  return "no ParseError";
}

}  // namespace vgpu::ptx
