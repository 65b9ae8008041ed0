// Regions of a kernel as machine code of the host, made by its C++ compiler (VGPU_COMPILE).
#pragma once

#include <functional>
#include <string>

#include "machine/kernel.hpp"

namespace vgpu::compile {

/// Something that fills in Kernel::regions[...].run. Machine code is kept in the user's cache
/// folder
/// ($XDG_CACHE_HOME or ~/.cache, flashlab/compiled), under a hash of the C++ that was written for
/// the kernel and of the compiler's command and version; a damaged file is made again. Where code
/// cannot be made, `say` gets one line that says why, once, and the interpreter does everything.
std::function<void(Kernel&)> make_compiler(std::function<void(const std::string&)> say);

}  // namespace vgpu::compile
