// Kernel launches. A launch runs to its end before it returns; a fault on the device is kept for
// the next call that waits for it, as on a real GPU.
#include <algorithm>
#include <vector>

#include "cudart/function.hpp"
#include "cudart/graph.hpp"

using namespace vgpu::cudart;

namespace {

struct Configuration {
  dim3 grid, block;
  size_t dynamic_shared = 0;
  cudaStream_t stream = nullptr;
  bool cooperative = false;
};

/// What `<<<...>>>` pushed and the kernel's stub has not popped yet.
thread_local std::vector<Configuration> pushed;

std::string text(const Dim& d) {
  return std::to_string(d[0]) + " x " + std::to_string(d[1]) + " x " + std::to_string(d[2]);
}

/// Refuses what a real GPU refuses. The codes are those of an H200 with CUDA 13.
void check_configuration(const vgpu::GpuProfile& profile, const CUkern_st& function,
                         const vgpu::Kernel& kernel, const Dim& grid, const Dim& block,
                         size_t dynamic_shared) {
  const std::string& name = kernel.demangled;
  for (int axis = 0; axis < 3; ++axis) {
    if (grid[axis] == 0 || grid[axis] > static_cast<uint32_t>(profile.max_grid[axis]))
      fail(cudaErrorInvalidValue, "grid " + text(grid) + " of " + name + ": axis " + "xyz"[axis] +
                                      " must be 1 to " + std::to_string(profile.max_grid[axis]) +
                                      " blocks");
    if (block[axis] == 0 || block[axis] > static_cast<uint32_t>(profile.max_block[axis]))
      fail(cudaErrorInvalidValue, "block " + text(block) + " of " + name + ": axis " + "xyz"[axis] +
                                      " must be 1 to " + std::to_string(profile.max_block[axis]) +
                                      " threads");
  }
  int threads = static_cast<int>(block[0] * block[1] * block[2]);
  int most = max_threads(profile, kernel);
  if (threads > most)
    fail(cudaErrorInvalidValue,
         "block " + text(block) + " of " + name + " has " + std::to_string(threads) +
             " threads: at most " + std::to_string(most) +
             (most < profile.max_threads_per_block ? " by the kernel's __launch_bounds__"
                                                   : " on this device"));
  size_t most_shared = max_dynamic_shared(profile, function, kernel);
  if (dynamic_shared <= most_shared) return;
  size_t opt_in = profile.shared_per_block_optin;
  std::string advice = dynamic_shared + kernel.static_shared > opt_in
                           ? "a block can have " + std::to_string(opt_in) + " in all"
                           : "raise it with cudaFuncSetAttribute(kernel, "
                             "cudaFuncAttributeMaxDynamicSharedMemorySize, bytes)";
  fail(cudaErrorInvalidValue, std::to_string(dynamic_shared) +
                                  " bytes of dynamic shared memory for " + name + " beside " +
                                  std::to_string(kernel.static_shared) + " static ones: at most " +
                                  std::to_string(most_shared) + " now; " + advice);
}

/// All blocks of a cooperative launch must be on the device at once.
void check_room(const vgpu::GpuProfile& profile, const CUkern_st& function,
                const vgpu::Kernel& kernel, const vgpu::Launch& launch) {
  const auto threads = static_cast<int>(launch.block[0] * launch.block[1] * launch.block[2]);
  const uint64_t room = static_cast<uint64_t>(resident_blocks(profile, function, kernel, threads,
                                                              launch.dynamic_shared)) *
                        static_cast<uint64_t>(profile.multiprocessors);
  const uint64_t blocks = uint64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  if (blocks > room)
    fail(cudaErrorCooperativeLaunchTooLarge,
         "a cooperative launch of " + std::to_string(blocks) + " blocks of " + kernel.demangled +
             ": only " + std::to_string(room) + " fit on the device at once");
}

/// Runs with `runtime.launch_mutex` and `runtime.mutex` held; releases the latter while the kernel
/// runs.
void run(Runtime& runtime, const void* func, const Configuration& configuration, void** arguments) {
  const CUkern_st& function = require_function(runtime, func);
  runtime.require_stream(configuration.stream);
  const vgpu::Kernel& kernel = runtime.registry.kernel(runtime, function);
  vgpu::Device& device = runtime.device();
  vgpu::Launch launch;
  launch.kernel = &kernel;
  launch.grid = to_dim(configuration.grid);
  launch.block = to_dim(configuration.block);
  launch.dynamic_shared = configuration.dynamic_shared;
  launch.cooperative = configuration.cooperative;
  launch.arguments = arguments;
  check_configuration(device.profile(), function, kernel, launch.grid, launch.block,
                      launch.dynamic_shared);
  if (launch.cooperative) check_room(device.profile(), function, kernel, launch);
  if (arguments == nullptr && !kernel.params.empty())
    fail(cudaErrorInvalidValue, "no arguments for " + kernel.demangled + ", which has " +
                                    std::to_string(kernel.params.size()) + " parameters");

  struct Unlocked {
    explicit Unlocked(std::mutex& held) : mutex(held) { mutex.unlock(); }
    ~Unlocked() { mutex.lock(); }
    std::mutex& mutex;
  };
  try {
    vgpu::RawCounts counts;
    {
      Unlocked unlocked(runtime.mutex);
      counts = device.run(launch);
    }
    for (const vgpu::Finding& finding : counts.findings) runtime.add_finding(finding);
    runtime.add_record(vgpu::make_record(launch, counts, device.memory()),
                       function.module->assembly);
  } catch (const vgpu::Fault& fault) {
    for (const vgpu::Finding& finding : fault.findings) runtime.add_finding(finding);
    runtime.raise_fault(fault);
  }
}

cudaError_t launch_call(const char* name, const void* func, const Configuration& configuration,
                        void** arguments) {
  const auto captured = capture(configuration.stream, [&](Runtime& runtime) {
    return kernel_node(copy_kernel_work(runtime, func, configuration.grid, configuration.block,
                                        configuration.dynamic_shared, configuration.cooperative,
                                        arguments));
  });
  if (captured) return *captured;
  std::scoped_lock one_kernel_at_a_time(Runtime::instance().launch_mutex);
  return api_call(name, Errors::Queued,
                  [&](Runtime& runtime) { run(runtime, func, configuration, arguments); });
}

}  // namespace

VGPU_EXPORT unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t dynamic_shared,
                                                 cudaStream_t stream) {
  pushed.push_back({grid, block, dynamic_shared, stream});
  return 0;
}

VGPU_EXPORT cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* dynamic_shared,
                                                   void* stream) {
  if (pushed.empty()) return remember_error(cudaErrorMissingConfiguration);
  Configuration top = pushed.back();
  pushed.pop_back();
  *grid = top.grid;
  *block = top.block;
  *dynamic_shared = top.dynamic_shared;
  *static_cast<cudaStream_t*>(stream) = top.stream;
  return cudaSuccess;
}

VGPU_EXPORT cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** args,
                                           size_t dynamic_shared, cudaStream_t stream) {
  return launch_call("launch", kernel, {grid, block, dynamic_shared, stream}, args);
}
VGPU_PER_THREAD_TWIN(__cudaLaunchKernel, _ptsz);

VGPU_EXPORT cudaError_t cudaLaunchKernel(const void* func, dim3 grid, dim3 block, void** args,
                                         size_t dynamic_shared, cudaStream_t stream) {
  return launch_call(__func__, func, {grid, block, dynamic_shared, stream}, args);
}
VGPU_PER_THREAD_TWIN(cudaLaunchKernel, _ptsz);

VGPU_EXPORT cudaError_t cudaLaunchCooperativeKernel(const void* func, dim3 grid, dim3 block,
                                                    void** args, size_t dynamic_shared,
                                                    cudaStream_t stream) {
  return launch_call(__func__, func, {grid, block, dynamic_shared, stream, true}, args);
}
VGPU_PER_THREAD_TWIN(cudaLaunchCooperativeKernel, _ptsz);

namespace {

bool is_cooperative(const cudaLaunchConfig_t& config) {
  return std::any_of(
      config.attrs, config.attrs + config.numAttrs, [](const cudaLaunchAttribute& attribute) {
        return attribute.id == cudaLaunchAttributeCooperative && attribute.val.cooperative != 0;
      });
}

/// Refuses the launch attributes that would change what the kernel does; scheduling hints have no
/// effect here.
void check_attributes(const cudaLaunchConfig_t& config) {
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config.attrs[i];
    const auto& cluster = attribute.val.clusterDim;
    if (attribute.id == cudaLaunchAttributeClusterDimension &&
        (cluster.x != 1 || cluster.y != 1 || cluster.z != 1))
      fail(cudaErrorNotSupported, "thread block clusters are not supported by the virtual GPU");
  }
}

}  // namespace

VGPU_EXPORT cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* func,
                                            void** args) {
  cudaError_t error = api_call(__func__, Errors::None, [&](Runtime&) {
    if (config == nullptr) fail(cudaErrorInvalidValue, "the configuration is null");
    check_attributes(*config);
  });
  if (error != cudaSuccess) return error;
  return launch_call(__func__, func,
                     {config->gridDim, config->blockDim, config->dynamicSmemBytes, config->stream,
                      is_cooperative(*config)},
                     args);
}
VGPU_PER_THREAD_TWIN(cudaLaunchKernelExC, _ptsz);
