// Counting: instruction classes, traffic, and the raw counters that the executor increments.
// A launch keeps one set per CPU thread; the sums do not depend on how blocks were spread over
// threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vgpu {

/// Classes of PTX instructions, as counted per launch (warp level and lane level).
enum class InstructionClass : uint8_t {
  Integer,
  Float32,
  Fma32,
  Float64,
  Half,
  Special,
  Convert,
  Move,
  Predicate,
  Control,
  LoadGlobal,
  StoreGlobal,
  LoadShared,
  StoreShared,
  LoadLocal,
  StoreLocal,
  LoadOther,
  Atomic,
  Barrier,
  Warp,
  Async,
  Matrix,
  Other,
  Count_
};
inline constexpr size_t kInstructionClasses = static_cast<size_t>(InstructionClass::Count_);
const char* to_string(InstructionClass c);  ///< "integer", "fma32", "load_global", ...

/// Traffic of one kind. Requests: warp instructions times 16-byte pieces. Sectors: distinct 32-byte
/// sectors per request. Bytes: distinct bytes per request.
struct Traffic {
  uint64_t requests = 0, sectors = 0, bytes = 0;
};

/// Shared memory. Conflicts are the wavefronts beyond the ideal number.
struct SharedTraffic {
  uint64_t requests = 0, wavefronts = 0, conflicts = 0;
};

/// What one basic block executed: a warp enters it with some lanes active.
struct BlockCount {
  uint64_t warps = 0, lanes = 0;
};

/// What one instruction did. A generic access may reach several spaces.
struct SiteCount {
  Traffic global, local;
  SharedTraffic shared;
  uint64_t executed = 0, divergent = 0;  ///< conditional branches
  uint64_t idle_lanes = 0;               ///< lanes of the block that a guard predicate switched off
  uint64_t idle_warps = 0;               ///< executions in which the guard switched every lane off
};

/// What a fused run did. Its global loads all moved that many sectors and distinct values each.
struct RunCount {
  uint64_t executed = 0, sectors = 0, values = 0;
};

/// Something a check has found that the hardware would not have stopped for.
struct Finding {
  std::string kind;          ///< "race", "uninitialised", ...
  std::string report;        ///< as in Fault
  uint32_t site = 0;         ///< the instruction, as index into Kernel::sites
  uint64_t block = 0;        ///< the first that shows it, by its number in the grid
  uint32_t suspect = kFirm;  ///< dropped when RawCounts::cleared names this instruction
  static constexpr uint32_t kFirm = 0xFFFFFFFFu;
};

struct RawCounts {
  std::vector<BlockCount> blocks;  ///< as Kernel::blocks
  std::vector<SiteCount> sites;    ///< as Kernel::sites
  std::vector<RunCount> runs;      ///< as Kernel::runs
  uint64_t compulsory_sectors = 0;
  uint64_t largest_block = 0;  ///< warp instructions of the thread block that executed most
  double seconds = 0;
  std::vector<Finding> findings;  ///< of the checks, at most one for each instruction and kind
  std::vector<uint32_t> cleared;  ///< instructions that turned out to be correct

  void add(const RawCounts& other);
};

}  // namespace vgpu
