// How many blocks of a kernel fit on one multiprocessor, by the rules of the CUDA C++ Programming
// Guide, appendix "Compute Capabilities" (9.0): threads, blocks, registers, shared memory.
#include <algorithm>

#include "cudart/function.hpp"

using namespace vgpu::cudart;

namespace {

constexpr int kRegisterUnit = 256;   // registers are handed out per warp in units of 256
constexpr size_t kSharedUnit = 128;  // bytes

size_t round_up(size_t value, size_t unit) {
  return (value + unit - 1) / unit * unit;
}

int resident_blocks(const vgpu::GpuProfile& profile, const CUkern_st& function,
                    const vgpu::Kernel& kernel, int threads, size_t dynamic_shared) {
  if (threads > max_threads(profile, kernel) ||
      dynamic_shared > max_dynamic_shared(profile, function, kernel))
    return 0;
  size_t warps = round_up(static_cast<size_t>(threads), vgpu::kWarpSize) / vgpu::kWarpSize;
  size_t warp_registers =
      round_up(static_cast<size_t>(std::max(registers(profile, kernel), 1)) * vgpu::kWarpSize,
               kRegisterUnit);
  size_t shared = round_up(kernel.static_shared + dynamic_shared, kSharedUnit) +
                  profile.reserved_shared_per_block;
  size_t by_warps =
      static_cast<size_t>(profile.max_threads_per_multiprocessor) / vgpu::kWarpSize / warps;
  size_t by_registers =
      static_cast<size_t>(profile.registers_per_multiprocessor) / warp_registers / warps;
  size_t by_shared = profile.shared_per_multiprocessor / shared;
  return static_cast<int>(std::min({static_cast<size_t>(profile.max_blocks_per_multiprocessor),
                                    by_warps, by_registers, by_shared}));
}

}  // namespace

VGPU_EXPORT cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, const void* func, int threads, size_t dynamic_shared, unsigned) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    if (threads <= 0) fail(cudaErrorInvalidValue, "the block size must be positive");
    const CUkern_st& function = require_function(runtime, func);
    output(blocks) =
        resident_blocks(runtime.device().profile(), function,
                        runtime.registry.kernel(runtime, function), threads, dynamic_shared);
  });
}

VGPU_EXPORT cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* func,
                                                                      int threads,
                                                                      size_t dynamic_shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, func, threads,
                                                                dynamic_shared, 0);
}

VGPU_EXPORT cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, const void* func,
                                                                  int blocks, int threads) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    if (blocks <= 0 || threads <= 0)
      fail(cudaErrorInvalidValue, "the numbers of blocks and threads must be positive");
    const vgpu::GpuProfile& profile = runtime.device().profile();
    const vgpu::Kernel& kernel = runtime.registry.kernel(runtime, require_function(runtime, func));
    size_t share = profile.shared_per_multiprocessor / static_cast<size_t>(blocks);
    share = share / kSharedUnit * kSharedUnit;
    size_t taken = profile.reserved_shared_per_block + round_up(kernel.static_shared, kSharedUnit);
    size_t left = share - std::min(share, taken);
    output(bytes) =
        std::min(left, profile.shared_per_block_optin -
                           std::min(profile.shared_per_block_optin, kernel.static_shared));
  });
}
