// The program ptxas of a CUDA Toolkit: where it is, and how it is run.
#pragma once

#include <string>
#include <vector>

#include "ptxas/output.hpp"

namespace vgpu::ptxas {

/// The ptxas to run: that of VGPU_PTXAS when it is set, else the first one in PATH, beside an nvcc
/// in PATH, in CUDA_HOME, CUDA_PATH, the toolkit that built this library, /usr/local/cuda. Throws
/// PtxasError when there is none.
std::string find_program();

/// Runs a program, without a shell, with `input` as its standard input. Returns what it wrote to
/// standard output and standard error. Throws PtxasError, with the first line of that, when it
/// cannot be run or fails.
std::string run_program(const std::vector<std::string>& words, const std::string& input);

}  // namespace vgpu::ptxas
