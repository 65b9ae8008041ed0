#include "device.hpp"

#include <dlfcn.h>
#include <vgpu/vgpu.h>

#include "text.hpp"

namespace flashlab::worker {
namespace {

template <class Function>
Function find(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

void check(cudaError_t code, const char* what) {
  if (code != cudaSuccess) throw SetupError(std::string(what) + ": " + cudaGetErrorName(code));
}

protocol::ErrorRecord record(cudaError_t code) {
  protocol::ErrorRecord result;
  result.code = code;
  put_text(result.name, cudaGetErrorName(code));
  return result;
}

// Looked up by name, so that the same worker also runs on NVIDIA's library, which has none of
// these.
Device::Device()
    : reset_(find<decltype(&vgpuReset)>("vgpuReset")),
      report_(find<decltype(&vgpuReport)>("vgpuReport")),
      name_buffer_(find<decltype(&vgpuNameBuffer)>("vgpuNameBuffer")),
      forget_writes_(find<decltype(&vgpuForgetWrites)>("vgpuForgetWrites")),
      set_launch_timeout_(find<decltype(&vgpuSetLaunchTimeout)>("vgpuSetLaunchTimeout")) {}

protocol::Hello Device::hello() const {
  protocol::Hello hello;
  hello.device = is_virtual() ? protocol::DeviceKind::kVirtual : protocol::DeviceKind::kReal;
  try {
    check(cudaSetDevice(0), "cudaSetDevice(0)");
    check(cudaFree(nullptr), "opening the device");
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    check(cudaDriverGetVersion(&hello.driver_version), "cudaDriverGetVersion");
    check(cudaRuntimeGetVersion(&hello.runtime_version), "cudaRuntimeGetVersion");
    put_text(hello.device_name, properties.name);
    hello.compute_major = properties.major;
    hello.compute_minor = properties.minor;
    hello.memory_bytes = properties.totalGlobalMem;
  } catch (const SetupError& error) {
    put_text(hello.error, error.what());
  }
  return hello;
}

void Device::flush_cache() const {
  if (is_virtual()) return;
  static void* scratch = nullptr;  // stays for the life of the process: every timed call needs it
  static size_t bytes = 0;
  if (scratch == nullptr) {
    int cache = 0;
    check(cudaDeviceGetAttribute(&cache, cudaDevAttrL2CacheSize, 0), "cudaDeviceGetAttribute");
    bytes = 2 * static_cast<size_t>(cache);
    check(cudaMalloc(&scratch, bytes), "cudaMalloc");
  }
  check(cudaMemset(scratch, 0, bytes), "cudaMemset");
  check(cudaCtxResetPersistingL2Cache(), "cudaCtxResetPersistingL2Cache");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

void Device::reset() const {
  if (!is_virtual()) return;
  reset_();
  ++resets_count_;
}

void Device::name_buffer(const void* pointer, const char* name) const {
  if (is_virtual()) name_buffer_(pointer, name);
}

void Device::forget_writes(const void* pointer, size_t bytes) const {
  if (is_virtual()) forget_writes_(pointer, bytes);
}

void Device::set_launch_timeout(double seconds) const {
  if (is_virtual()) set_launch_timeout_(seconds);
}

size_t Device::report(char* text, size_t capacity) const {
  return is_virtual() ? report_(text, capacity) : 0;
}

}  // namespace flashlab::worker
