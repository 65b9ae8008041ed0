// Exact counts of one kernel launch. How each is defined: grader/vgpu/README.md, "Counts".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vgpu {

/// Classes of PTX instructions, as counted per launch (warp level and lane level).
enum class InstructionClass : uint8_t {
  Integer, Float32, Fma32, Float64, Half, Special, Convert, Move, Predicate, Control,
  LoadGlobal, StoreGlobal, LoadShared, StoreShared, LoadLocal, StoreLocal, LoadOther,
  Atomic, Barrier, Warp, Async, Matrix, Other, Count_
};
inline constexpr size_t kInstructionClasses = static_cast<size_t>(InstructionClass::Count_);
const char* to_string(InstructionClass c);   ///< "integer", "fma32", "load_global", ...

/// Traffic of one kind. Requests: warp instructions times 16-byte pieces. Sectors: distinct 32-byte sectors per
/// request. Bytes: distinct bytes per request.
struct Traffic {
  uint64_t requests = 0, sectors = 0, bytes = 0;
};

/// Shared memory. Conflicts are the wavefronts beyond the ideal number.
struct SharedTraffic {
  uint64_t requests = 0, wavefronts = 0, conflicts = 0;
};

/// Counts of one source line (only lines that executed something).
struct LineCounts {
  std::string file;
  int line = 0;
  uint64_t warp_instructions = 0, lane_instructions = 0;
  Traffic global_load, global_store;
  SharedTraffic shared_load, shared_store;
};

/// One launch. All numbers are sums over every warp of the grid and do not depend on the number of CPU threads.
struct LaunchRecord {
  std::string kernel;                 ///< demangled, with template arguments
  std::string mangled;
  std::array<uint32_t, 3> grid{}, block{};
  uint64_t shared_static = 0, shared_dynamic = 0;       ///< bytes per block
  uint64_t warp_instructions = 0, lane_instructions = 0;
  std::array<uint64_t, kInstructionClasses> warp_by_class{}, lane_by_class{};
  Traffic global_load, global_store, global_atomic, local_load, local_store;
  SharedTraffic shared_load, shared_store, shared_atomic;
  uint64_t branches = 0, divergent_branches = 0, barriers = 0;
  uint64_t compulsory_sectors = 0;    ///< distinct 32-byte sectors of global memory touched by the launch
  uint64_t device_bytes = 0;          ///< allocated by the program when the launch began
  uint64_t peak_device_bytes = 0;     ///< highest so far in the process
  double seconds = 0;                 ///< CPU wall time of the launch; never graded
  std::vector<LineCounts> lines;
};

}  // namespace vgpu
