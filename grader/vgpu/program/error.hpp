// PTX that parses and is no valid program.
#pragma once

#include <stdexcept>

namespace vgpu {

/// What ptxas would refuse, in one line.
struct ProgramError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace vgpu
