// Exact counts of one kernel launch. How each is defined: grader/vgpu/README.md, "Counts".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "machine/counts.hpp"
#include "machine/device.hpp"
#include "machine/occupancy.hpp"

namespace vgpu {

/// What is counted for a launch as a whole and for each source line. All numbers are sums over
/// every warp of the grid and do not depend on the number of CPU threads.
struct Counts {
  uint64_t warp_instructions = 0, lane_instructions = 0;
  std::array<uint64_t, kInstructionClasses> warp_by_class{}, lane_by_class{};
  Traffic global_load, global_store, global_atomic, local_load, local_store;
  SharedTraffic shared_load, shared_store, shared_atomic;
  SharedTraffic ldmatrix;  ///< part of shared_load
  /// cp.async: its requests and sectors are in global_load, its bytes only here.
  uint64_t async_copy_bytes = 0;
  SharedTraffic async_copy;  ///< what it writes to shared memory
  uint64_t branches = 0, divergent_branches = 0, barriers = 0;
};

/// A source line that executed something.
struct LineCounts : Counts {
  std::string file;
  int line = 0;
};

/// One launch.
struct LaunchRecord : Counts {
  std::string kernel;  ///< demangled, with template arguments
  std::string mangled;
  std::array<uint32_t, 3> grid{}, block{};
  uint64_t shared_static = 0, shared_dynamic = 0;  ///< bytes per block
  uint64_t local_bytes = 0;                        ///< local memory of all threads of the grid
  std::optional<KernelResources> resources;        ///< when ptxas has told them
  std::optional<Occupancy> occupancy;              ///< on the device, when the resources are known
  uint64_t compulsory_sectors =
      0;  ///< distinct 32-byte sectors of global memory touched by the launch
  uint64_t largest_block_instructions = 0;  ///< warp instructions of the block with most
  uint64_t device_bytes = 0;                ///< allocated by the program when the launch began
  uint64_t peak_device_bytes = 0;           ///< highest so far in the process
  double seconds = 0;                       ///< CPU wall time of the launch; never graded
  std::vector<LineCounts> lines;
};

/// Sums the raw counts of a launch, as Device::run returns them, into a record.
LaunchRecord make_record(const Launch& launch, const RawCounts& counts, const DeviceMemory& memory);

/// Completes a record with what ptxas assigned to its kernel, and the occupancy on `profile`.
void add_resources(LaunchRecord& record, const KernelResources& resources,
                   const GpuProfile& profile);

}  // namespace vgpu
