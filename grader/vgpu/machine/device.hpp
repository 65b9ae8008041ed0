// The virtual GPU as its callers see it: memory, loaded modules, launches. The runtime API
// (`cudart/`) is a thin translation onto this class.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "machine/fault.hpp"
#include "machine/heap.hpp"
#include "machine/memory.hpp"
#include "machine/observer.hpp"
#include "machine/profile.hpp"

namespace vgpu {

struct Kernel;     // machine/kernel.hpp: a decoded kernel
struct RawCounts;  // machine/counts.hpp

struct Launch {
  const Kernel* kernel = nullptr;
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  size_t dynamic_shared = 0;               ///< bytes
  bool cooperative = false;                ///< all blocks are on the device at once, and may meet
  const void* const* arguments = nullptr;  ///< one pointer per kernel parameter
};

/// Settings read once from the environment by the runtime (VGPU_THREADS, VGPU_TIMEOUT,
/// VGPU_COUNTERS ...).
struct DeviceOptions {
  unsigned threads = 0;                    ///< CPU threads that run blocks; 0: one per core
  double timeout_seconds = 0;              ///< of one launch; 0: none
  size_t heap_bytes = size_t{8} << 20;     ///< for malloc in kernels, from its first use on
  std::vector<ObserverFactory> observers;  ///< checks to make; none: full speed
  /// Fills in Kernel::regions[...].run (compile/compiler.hpp); empty: all is interpreted. Checks
  /// are made by the interpreter, so it is not asked when there are observers.
  std::function<void(Kernel&)> compile;
};

class Device {
 public:
  explicit Device(GpuProfile profile = {}, DeviceOptions options = {});
  ~Device();

  const GpuProfile& profile() const { return profile_; }
  DeviceOptions& options() { return options_; }
  DeviceMemory& memory() { return memory_; }
  DeviceHeap& heap() { return heap_; }

  /// Runs the whole grid and returns its counts. Blocks are spread over CPU threads. Throws Fault;
  /// the counts gathered until then are lost. The caller has checked grid, block and shared memory
  /// against the profile.
  /// (`make_record` of observe/counters.hpp turns raw counts into a LaunchRecord.)
  RawCounts run(const Launch& launch);

 private:
  GpuProfile profile_;
  DeviceOptions options_;
  DeviceMemory memory_;
  DeviceHeap heap_;
  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace vgpu
