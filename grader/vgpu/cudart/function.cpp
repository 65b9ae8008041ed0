#include "cudart/function.hpp"

#include <algorithm>

#include "machine/occupancy.hpp"

namespace vgpu::cudart {

CUkern_st& require_function(Runtime& runtime, const void* host_or_handle) {
  if (host_or_handle == nullptr) fail(cudaErrorInvalidDeviceFunction, "the kernel is null");
  CUkern_st* function = runtime.registry.function(host_or_handle);
  if (function == nullptr)
    fail(cudaErrorInvalidResourceHandle,
         "the pointer is not a __global__ function of this program");
  return *function;
}

int max_threads(const GpuProfile& profile, const Kernel& kernel) {
  uint64_t bound = uint64_t{kernel.max_threads[0]} * std::max(kernel.max_threads[1], 1u) *
                   std::max(kernel.max_threads[2], 1u);
  auto limit = static_cast<uint64_t>(profile.max_threads_per_block);
  return static_cast<int>(bound == 0 ? limit : std::min(bound, limit));
}

size_t max_dynamic_shared(const GpuProfile& profile, const CUkern_st& function,
                          const Kernel& kernel) {
  if (function.max_dynamic_shared) return static_cast<size_t>(*function.max_dynamic_shared);
  return profile.shared_per_block - std::min(profile.shared_per_block, kernel.static_shared);
}

int registers(const GpuProfile& profile, const CUkern_st& function, const Kernel& kernel) {
  if (const auto* resources = function.module->assembly->find(kernel.name))
    return resources->registers;
  return static_cast<int>(std::min<uint32_t>(
      kernel.register_slots, static_cast<uint32_t>(profile.max_registers_per_thread)));
}

int resident_blocks(const GpuProfile& profile, const CUkern_st& function, const Kernel& kernel,
                    int threads, size_t dynamic_shared) {
  if (threads > max_threads(profile, kernel) ||
      dynamic_shared > max_dynamic_shared(profile, function, kernel))
    return 0;
  return occupancy(profile, threads, registers(profile, function, kernel),
                   kernel.static_shared + dynamic_shared)
      .blocks;
}

}  // namespace vgpu::cudart

using namespace vgpu::cudart;

VGPU_EXPORT cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* func) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    cudaFuncAttributes& result = output(attributes) = {};
    const CUkern_st& function = require_function(runtime, func);
    const vgpu::Kernel& kernel = runtime.registry.kernel(runtime, function);
    const vgpu::GpuProfile& profile = runtime.device().profile();
    int version = profile.compute_major * 10 + profile.compute_minor;
    result.sharedSizeBytes = kernel.static_shared;
    const auto* resources = function.module->assembly->find(kernel.name);
    result.localSizeBytes = resources != nullptr ? resources->stack_bytes : kernel.local_bytes;
    result.maxThreadsPerBlock = max_threads(profile, kernel);
    result.numRegs = registers(profile, function, kernel);
    // CUB looks for the code that was compiled for this version.
    result.ptxVersion = std::stoi(function.module->program->module().target.substr(3));
    result.binaryVersion = version;
    result.maxDynamicSharedSizeBytes =
        static_cast<int>(max_dynamic_shared(profile, function, kernel));
    result.preferredShmemCarveout = cudaSharedmemCarveoutDefault;
  });
}

VGPU_EXPORT cudaError_t cudaFuncSetAttribute(const void* func, cudaFuncAttribute attribute,
                                             int value) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    CUkern_st& function = require_function(runtime, func);
    if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
      const vgpu::Kernel& kernel = runtime.registry.kernel(runtime, function);
      size_t limit = runtime.device().profile().shared_per_block_optin;
      if (value < 0 || static_cast<size_t>(value) + kernel.static_shared > limit)
        fail(cudaErrorInvalidValue,
             std::to_string(value) + " dynamic + " + std::to_string(kernel.static_shared) +
                 " static bytes of shared memory: a block can have " + std::to_string(limit));
      function.max_dynamic_shared = value;
    } else if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) {
      if (value < cudaSharedmemCarveoutDefault || value > cudaSharedmemCarveoutMaxShared)
        fail(cudaErrorInvalidValue, "a carveout is a percentage, or -1 for the default");
    } else if (attribute >= cudaFuncAttributeClusterDimMustBeSet &&
               attribute < cudaFuncAttributeMax) {
      fail(cudaErrorNotSupported, "thread block clusters are not supported by the virtual GPU");
    } else {
      fail(cudaErrorInvalidValue, "unknown attribute " + std::to_string(attribute));
    }
  });
}

VGPU_EXPORT cudaError_t cudaFuncSetCacheConfig(const void* func, cudaFuncCache) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime& runtime) { require_function(runtime, func); });
}

VGPU_EXPORT cudaError_t cudaFuncSetSharedMemConfig(const void* func, cudaSharedMemConfig) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime& runtime) { require_function(runtime, func); });
}

VGPU_EXPORT cudaError_t cudaFuncGetName(const char** name, const void* func) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    output(name) = require_function(runtime, func).name.c_str();
  });
}

VGPU_EXPORT cudaError_t cudaFuncGetParamInfo(const void* func, size_t index, size_t* offset,
                                             size_t* bytes) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    const auto& params = runtime.registry.kernel(runtime, require_function(runtime, func)).params;
    if (index >= params.size())
      fail(cudaErrorInvalidValue,
           "the kernel has " + std::to_string(params.size()) + " parameters");
    output(offset) = params[index].offset;
    if (bytes != nullptr) *bytes = params[index].size;
  });
}

VGPU_EXPORT cudaError_t cudaGetKernel(cudaKernel_t* handle, const void* func) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime& runtime) { output(handle) = &require_function(runtime, func); });
}

VGPU_EXPORT cudaError_t cudaGetFuncBySymbol(cudaFunction_t* handle, const void* func) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    output(handle) = reinterpret_cast<cudaFunction_t>(&require_function(runtime, func));
  });
}

/// Called once by each kernel's host stub. The handle stays valid while the object is registered.
VGPU_EXPORT cudaError_t __cudaGetKernel(cudaKernel_t* handle, const void* func) {
  return api_call(__func__, Errors::None,
                  [&](Runtime& runtime) { output(handle) = &require_function(runtime, func); });
}
