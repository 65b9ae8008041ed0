// Questions about one kernel, shared by the launch, attribute and occupancy calls.
#pragma once

#include <array>

#include "cudart/api.hpp"
#include "machine/kernel.hpp"

namespace vgpu::cudart {

using Dim = std::array<uint32_t, 3>;

inline Dim to_dim(dim3 d) {
  return {d.x, d.y, d.z};
}

/// The function of a host stub's address or handle. Fails with cudaErrorInvalidDeviceFunction for
/// null and cudaErrorInvalidResourceHandle for anything unknown.
CUkern_st& require_function(Runtime& runtime, const void* host_or_handle);

/// Most threads per block: the device's limit, or less by __launch_bounds__.
int max_threads(const GpuProfile& profile, const Kernel& kernel);

/// Most dynamic shared bytes per block: what the program asked for with
/// cudaFuncAttributeMaxDynamicSharedMemorySize, else what 48 KiB leave beside the static arrays.
size_t max_dynamic_shared(const GpuProfile& profile, const CUkern_st& function,
                          const Kernel& kernel);

/// Registers per thread: those of ptxas, which this may run; without one the 32-bit slots after
/// compaction of the PTX, an estimate.
int registers(const GpuProfile& profile, const CUkern_st& function, const Kernel& kernel);

/// Blocks of `threads` threads that one multiprocessor holds; 0 when such a launch would be
/// refused.
int resident_blocks(const GpuProfile& profile, const CUkern_st& function, const Kernel& kernel,
                    int threads, size_t dynamic_shared);

}  // namespace vgpu::cudart
