#include "launches.hpp"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <atomic>

namespace flashlab::worker {
namespace {

std::atomic<uint64_t> launches{0}, threads{0};

uint64_t volume(dim3 size) {
  return uint64_t{size.x} * size.y * size.z;
}

/// Calls the function of libcudart that has the same name as the caller.
template <class Function, class... Arguments>
cudaError_t launch(const char* name, dim3 grid, dim3 block, Arguments... arguments) {
  const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  if (next == nullptr) return cudaErrorSymbolNotFound;
  const cudaError_t error = next(arguments...);
  if (error == cudaSuccess) {
    ++launches;
    threads += volume(grid) * volume(block);
  }
  return error;
}

}  // namespace

void reset_launches() {
  launches = threads = 0;
}

Launches count_launches() {
  return {launches, threads};
}

}  // namespace flashlab::worker

#define FLASHLAB_INTERPOSED extern "C" __attribute__((visibility("default"))) cudaError_t

using flashlab::worker::launch;

// What <<<...>>> calls; no header for host code declares it.
FLASHLAB_INTERPOSED __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                                       size_t shared_bytes, cudaStream_t stream) {
  return launch<decltype(&__cudaLaunchKernel)>(__func__, grid, block, kernel, grid, block,
                                               arguments, shared_bytes, stream);
}

FLASHLAB_INTERPOSED cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                                     size_t shared_bytes, cudaStream_t stream) {
  return launch<decltype(&cudaLaunchKernel)>(__func__, grid, block, kernel, grid, block, arguments,
                                             shared_bytes, stream);
}

FLASHLAB_INTERPOSED cudaLaunchCooperativeKernel(const void* kernel, dim3 grid, dim3 block,
                                                void** arguments, size_t shared_bytes,
                                                cudaStream_t stream) {
  return launch<decltype(&cudaLaunchCooperativeKernel)>(__func__, grid, block, kernel, grid, block,
                                                        arguments, shared_bytes, stream);
}

FLASHLAB_INTERPOSED cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel,
                                        void** arguments) {
  const dim3 none(0);
  return launch<decltype(&cudaLaunchKernelExC)>(
      __func__, config != nullptr ? config->gridDim : none,
      config != nullptr ? config->blockDim : none, config, kernel, arguments);
}
