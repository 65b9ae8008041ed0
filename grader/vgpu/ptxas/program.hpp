// The program ptxas of a CUDA Toolkit: where it is.
#pragma once

#include <string>

#include "ptxas/output.hpp"

namespace vgpu::ptxas {

/// The ptxas to run: that of VGPU_PTXAS when it is set, else the first one in PATH, beside an nvcc
/// in PATH, in CUDA_HOME, CUDA_PATH, the toolkit that built this library, /usr/local/cuda. Throws
/// PtxasError when there is none.
std::string find_program();

}  // namespace vgpu::ptxas
