// The CUDA headers as this library sees them (every declaration is an export), and the frame around
// each API function.
#pragma once

#ifdef VGPU_CUDA_12
#include "cudart/version_12.hpp"
#endif
#pragma GCC visibility push(default)
#include <cuda_runtime_api.h>
#pragma GCC visibility pop

#include <mutex>
#include <string>

#include "cudart/runtime.hpp"

/// Exports `name` under its per-thread-default-stream name too: `_ptsz` for stream calls, `_ptds`
/// for the others. All work is done when it is submitted, so both default streams behave alike.
#define VGPU_PER_THREAD_TWIN(name, suffix) \
  extern "C"                               \
      __attribute__((visibility("default"), alias(VGPU_TEXT(name)))) decltype(name) name##suffix
#define VGPU_TEXT(name) VGPU_QUOTED(name)  // of what version_12.hpp makes of the name
#define VGPU_QUOTED(name) #name

#define VGPU_EXPORT extern "C" __attribute__((visibility("default")))

namespace vgpu::cudart {

/// Which device errors a call reports (recorded on an H200 in
/// tests/vgpu/cudart/conformance_h200.txt).
enum class Errors {
  None,    ///< works even after a device fault: versions, counts, properties
  Sticky,  ///< reports a fault that an earlier call has reported already
  Queued,  ///< submits work: as Sticky, and does nothing while a fault waits to be reported
  Waits,   ///< waits for the device: the first to report a new fault
};

/// Runs `body` under the runtime's lock and turns what it throws into the call's error code, which
/// also becomes the thread's last error. `body` reports errors with fail().
template <typename Body>
cudaError_t api_call(const char* name, Errors errors, Body&& body) noexcept {
  Runtime& runtime = Runtime::instance();
  std::unique_lock lock(runtime.mutex);
  if (errors == Errors::Waits) runtime.surface_fault();
  if (errors != Errors::None && runtime.sticky_error() != cudaSuccess)
    return remember_error(runtime.sticky_error());
  if (errors == Errors::Queued && runtime.fault_waits()) return cudaSuccess;
  try {
    body(runtime);
    return cudaSuccess;
  } catch (...) {
    return remember_error(runtime.explain_exception(name));
  }
}

/// Fails with cudaErrorInvalidValue when an output pointer is null.
template <typename T>
T& output(T* pointer) {
  if (pointer == nullptr) fail(cudaErrorInvalidValue, "the pointer for the result is null");
  return *pointer;
}

/// Memory that was freed no longer counts in the memory pool it came from. Call with the runtime's
/// lock held.
void leave_pool(void* pointer);

}  // namespace vgpu::cudart
