#include "ptxas/output.hpp"

#include <regex>
#include <set>
#include <sstream>

namespace vgpu::ptxas {

Resources parse_output(const std::string& text) {
  static const std::regex kEntry("ptxas info *: Compiling entry function '([^']+)' for 'sm_\\w+'");
  static const std::regex kProperties("ptxas info *: Function properties for (\\S+)");
  static const std::regex kStack(
      " *(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
  static const std::regex kUsed("ptxas info *: Used (\\d+) registers\\b.*");

  Resources kernels;
  std::set<std::string> with_stack, with_registers;
  std::string kernel, function;
  std::istringstream lines(text);
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, kEntry)) {
      kernel = match[1];
      kernels[kernel];
    } else if (std::regex_match(line, match, kProperties)) {
      function = match[1];
    } else if (std::regex_match(line, match, kStack) && function == kernel && !kernel.empty()) {
      kernels[kernel].stack_bytes = std::stoull(match[1]);
      kernels[kernel].spill_store_bytes = std::stoull(match[2]);
      kernels[kernel].spill_load_bytes = std::stoull(match[3]);
      with_stack.insert(kernel);
    } else if (std::regex_match(line, match, kUsed) && !kernel.empty()) {
      kernels[kernel].registers = std::stoi(match[1]);
      with_registers.insert(kernel);
    }
  }
  for (const auto& [name, resources] : kernels)
    if (!with_stack.contains(name) || !with_registers.contains(name))
      throw PtxasError("ptxas -v does not say the registers and the stack of `" + name + "`");
  return kernels;
}

}  // namespace vgpu::ptxas
