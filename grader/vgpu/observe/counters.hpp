// Exact counts of one kernel launch. How each is defined: grader/vgpu/README.md, "Counts".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "machine/counts.hpp"
#include "machine/device.hpp"

namespace vgpu {

/// Counts of one source line (only lines that executed something).
struct LineCounts {
  std::string file;
  int line = 0;
  uint64_t warp_instructions = 0, lane_instructions = 0;
  Traffic global_load, global_store;
  SharedTraffic shared_load, shared_store;
};

/// One launch. All numbers are sums over every warp of the grid and do not depend on the number of
/// CPU threads.
struct LaunchRecord {
  std::string kernel;  ///< demangled, with template arguments
  std::string mangled;
  std::array<uint32_t, 3> grid{}, block{};
  uint64_t shared_static = 0, shared_dynamic = 0;  ///< bytes per block
  uint64_t warp_instructions = 0, lane_instructions = 0;
  std::array<uint64_t, kInstructionClasses> warp_by_class{}, lane_by_class{};
  Traffic global_load, global_store, global_atomic, local_load, local_store;
  SharedTraffic shared_load, shared_store, shared_atomic;
  /// cp.async: its requests and sectors are in global_load, its bytes only here.
  uint64_t async_copy_bytes = 0;
  SharedTraffic async_copy;  ///< what it writes to shared memory
  uint64_t branches = 0, divergent_branches = 0, barriers = 0;
  uint64_t compulsory_sectors =
      0;                      ///< distinct 32-byte sectors of global memory touched by the launch
  uint64_t device_bytes = 0;  ///< allocated by the program when the launch began
  uint64_t peak_device_bytes = 0;  ///< highest so far in the process
  double seconds = 0;              ///< CPU wall time of the launch; never graded
  std::vector<LineCounts> lines;
};

/// Sums the raw counts of a launch, as Device::run returns them, into a record.
LaunchRecord make_record(const Launch& launch, const RawCounts& counts, const DeviceMemory& memory);

}  // namespace vgpu
