// What goes wrong on the device: one value type, thrown where it is found and shown to the user
// once.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "machine/counts.hpp"

namespace vgpu {

enum class FaultCode : uint8_t {
  None,
  IllegalAddress,     ///< cudaErrorIllegalAddress (700)
  MisalignedAddress,  ///< cudaErrorMisalignedAddress (716)
  LaunchTimeout,      ///< cudaErrorLaunchTimeout (702)
  Assert,             ///< cudaErrorAssert (710)
  Trap,               ///< cudaErrorLaunchFailure (719)
  Synchronisation,    ///< divergent or never-complete barrier: cudaErrorLaunchFailure (719)
  Unsupported,        ///< an instruction the virtual GPU does not know: cudaErrorNotSupported (801)
  StackOverflow,      ///< cudaErrorLaunchFailure (719)
};

/// A device-side error. `what()` is the whole report: one headline, then indented lines with
/// kernel, source line, block, thread, address and the likely mistake.
struct Fault : std::runtime_error {
  Fault(FaultCode fault_code, const std::string& report)
      : std::runtime_error(report), code(fault_code) {}
  FaultCode code;
  std::vector<Finding> findings;  ///< of the checks, in the launch until then
};

}  // namespace vgpu
