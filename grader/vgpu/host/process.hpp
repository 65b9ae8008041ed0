// Programs of the host that the virtual GPU asks for help: ptxas, the compiler.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace vgpu::host {

/// One line that says which program could not help, and why.
struct ProcessError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Runs a program, found in PATH unless its name has a slash, without a shell, with `input` as its
/// standard input. Returns what it wrote to standard output and standard error. Throws
/// ProcessError, with the first line of that, when it cannot be run or fails.
std::string run_program(const std::vector<std::string>& words, const std::string& input);

}  // namespace vgpu::host
