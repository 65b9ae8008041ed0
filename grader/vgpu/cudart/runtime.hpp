// The state of the process behind the runtime API: the device, what is registered, errors, records.
#pragma once

#include <driver_types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "cudart/environment.hpp"
#include "cudart/pointer_kinds.hpp"
#include "cudart/registry.hpp"
#include "machine/device.hpp"
#include "observe/counters.hpp"

namespace vgpu::cudart {

/// What an API function throws: the code it returns, and one line that says why (printed unless
/// empty).
struct ApiError : std::runtime_error {
  ApiError(cudaError_t error_code, const std::string& why)
      : std::runtime_error(why), code(error_code) {}
  cudaError_t code;
};

[[noreturn]] void fail(cudaError_t code, const std::string& why);

/// Makes `error` the calling thread's last error (cudaGetLastError) unless it is cudaSuccess;
/// returns it.
cudaError_t remember_error(cudaError_t error);

/// One object for the whole process. It is never destroyed: programs register and unregister their
/// device code, and free memory, in constructors and destructors of static objects.
class Runtime {
 public:
  static Runtime& instance();

  std::mutex
      mutex;  ///< held by every API function, released while a kernel or a host callback runs
  std::mutex launch_mutex;  ///< one kernel at a time; taken before `mutex`, never while holding it

  const Environment environment;
  Registry registry;
  PointerKinds pointers;  ///< what is not ordinary device memory
  std::set<cudaStream_t> streams;
  std::set<cudaEvent_t> events, reset_events;  ///< alive; ended by a reset, which keeps the handles
  std::vector<Finding> findings;               ///< of the checks, since the last vgpuReset
  /// Bytes that calls have copied between device memory and memory that only the host knows, either
  /// way, since the last vgpuReset.
  uint64_t host_copy_bytes = 0;
  uint64_t resets = 0;  ///< calls of vgpuReset

  /// The device, created at first use. Throws ApiError when its memory cannot be reserved.
  Device& device();
  DeviceMemory& memory() { return device().memory(); }

  /// Keeps what a check has found, and prints it.
  void add_finding(const Finding& finding);
  /// Reports device memory that the program has not freed.
  void find_leaks();
  /// Keeps a device fault for the next call that waits, and prints its report once.
  void raise_fault(const Fault& fault);
  bool fault_waits() const { return fault_.has_value() && sticky_ == cudaSuccess; }
  /// From here on every call that needs the device returns the fault's code, as after a fault of a
  /// real GPU.
  void surface_fault();
  cudaError_t sticky_error() const { return sticky_; }

  /// Prints the reason for the exception in flight, in one line, and returns the code to answer
  /// with.
  cudaError_t explain_exception(const char* function) noexcept;

  /// One line on stderr, "vgpu: ..."; nothing when VGPU_QUIET is set.
  void say(const std::string& line) const;

  void add_record(LaunchRecord record, std::shared_ptr<ptxas::Assembly> assembly);
  void clear_records();
  /// The launches since the last vgpuReset, with what ptxas says of their kernels: the first call
  /// after the first launch of a module may run it.
  const std::vector<LaunchRecord>& records();
  /// Why records() knows no registers, in one line; empty when it does.
  std::string resources_complaint() const;

  /// What vgpuReport returns.
  std::string report();

  /// Fails with cudaErrorInvalidResourceHandle unless `stream` is alive or one of the default
  /// streams.
  void require_stream(cudaStream_t stream) const;

  /// Frees everything that the program allocated and unloads its modules (their variables start
  /// anew).
  void reset_device();

 private:
  Runtime();

  std::unique_ptr<Device> device_;
  std::vector<LaunchRecord> records_;
  std::vector<std::shared_ptr<ptxas::Assembly>> assemblies_;  ///< of the records' kernels
  std::optional<Fault> fault_;
  cudaError_t sticky_ = cudaSuccess;
};

}  // namespace vgpu::cudart
