// The limits and properties of the GPU that the machine pretends to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vgpu {

inline constexpr int kWarpSize = 32;

/// Sizes in bytes, clocks in kHz. The defaults are those of an H200 (compute capability 9.0), so
/// that a launch that fits here fits there; `name` says that it is virtual.
struct GpuProfile {
  std::string name = "FlashLab Virtual GPU (H200 profile)";
  int compute_major = 9, compute_minor = 0;
  int multiprocessors = 132;
  int max_threads_per_block = 1024;
  int max_threads_per_multiprocessor = 2048;
  int max_blocks_per_multiprocessor = 32;
  int registers_per_multiprocessor = 65536;
  int partitions = 4;  ///< of a multiprocessor: each has its own registers and warps
  int register_allocation_unit = 256;  ///< registers that a warp gets at a time
  int max_registers_per_thread = 255;
  size_t shared_per_block = 48 * 1024;         ///< without opt-in
  size_t shared_per_block_optin = 227 * 1024;  ///< with cudaFuncSetAttribute
  size_t shared_per_multiprocessor = 228 * 1024;
  size_t reserved_shared_per_block = 1024;
  size_t shared_allocation_unit = 128;
  size_t global_memory = size_t{8} << 30;  ///< what cudaMalloc may hand out in all
  size_t constant_memory = 64 * 1024;
  size_t l2_cache = size_t{60} << 20;
  int max_grid[3] = {2147483647, 65535, 65535};
  int max_block[3] = {1024, 1024, 64};
  int clock_khz = 1980000;
  int memory_clock_khz = 3201000;
  int memory_bus_bits = 6016;
};

}  // namespace vgpu
