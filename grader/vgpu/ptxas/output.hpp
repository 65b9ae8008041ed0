// What `ptxas -v` prints.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "machine/occupancy.hpp"

namespace vgpu::ptxas {

/// One line that says why nothing is known of a module's registers.
struct PtxasError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Mangled name of each kernel -> its resources.
using Resources = std::map<std::string, KernelResources>;

/// Reads the lines of `ptxas -v` about kernels; those about device functions and warnings are
/// passed over. Throws PtxasError when the registers or the stack of a kernel are missing.
Resources parse_output(const std::string& text);

}  // namespace vgpu::ptxas
