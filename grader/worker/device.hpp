// The device behind libcudart: NVIDIA's or the virtual GPU, told apart by the extra symbols of
// vgpu/vgpu.h.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "protocol.hpp"

namespace flashlab::worker {

/// A CUDA call of the worker itself failed: the case could not be prepared.
struct SetupError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws SetupError with `what` and the error's name unless `code` is cudaSuccess.
void check(cudaError_t code, const char* what);

/// A CUDA error code with its name.
protocol::ErrorRecord record(cudaError_t code);

class Device {
 public:
  /// Looks up the virtual GPU's functions; does not open the device.
  Device();

  bool is_virtual() const { return reset_ != nullptr; }

  /// Opens device 0 and describes it. Never throws: a failure is text in `error`.
  protocol::Hello hello() const;

  /// Empties the L2 cache of what a kernel may need, and ends what earlier kernels asked it to keep
  /// (nothing on the virtual GPU, which has none). Throws SetupError.
  void flush_cache() const;

  // The following do nothing on a real GPU.
  /// Forgets earlier launches; the peak of device memory starts anew.
  void reset() const;
  /// How often that was done.
  uint64_t resets() const { return resets_count_; }
  void name_buffer(const void* pointer, const char* name) const;
  /// What these bytes hold is no value: the check for uninitialised reads reports who reads them.
  void forget_writes(const void* pointer, size_t bytes) const;
  void set_launch_timeout(double seconds) const;
  /// Writes the report's JSON text, at most `capacity` bytes with a final NUL; returns its full
  /// length.
  size_t report(char* text, size_t capacity) const;

 private:
  void (*reset_)();
  mutable uint64_t resets_count_ = 0;
  size_t (*report_)(char*, size_t);
  int (*name_buffer_)(const void*, const char*);
  void (*forget_writes_)(const void*, size_t);
  void (*set_launch_timeout_)(double);
};

}  // namespace flashlab::worker
