// The occupancy calls: machine/occupancy.hpp with the kernel's own limits.
#include "machine/occupancy.hpp"

#include <algorithm>

#include "cudart/function.hpp"

using namespace vgpu::cudart;

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
    // As an H200 answers: it leaves the shared memory that the system takes of each block out of
    // account.
    const size_t share = profile.shared_per_multiprocessor / static_cast<size_t>(blocks) /
                         profile.shared_allocation_unit * profile.shared_allocation_unit;
    const size_t most = std::min(share, profile.shared_per_block_optin);
    output(bytes) = most - std::min(most, kernel.static_shared);
  });
}
