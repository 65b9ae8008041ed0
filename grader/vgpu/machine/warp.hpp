// One warp: 32 lanes that execute the same operation in lockstep, the lanes that are switched on,
// and the paths that wait when lanes have taken different ways.
//
// Divergence. A *split* is a set of lanes with a common program counter. A divergent branch makes
// two splits out of one and a *node* that remembers where they meet again (the branch's immediate
// post-dominator) and which lanes are expected there. A split that reaches that place waits in the
// node; when every expected lane that has not exited is there, one split continues. Splits are
// independent of each other, so lanes that wait for one another at a warp barrier, a shuffle or a
// spin lock make progress, as on hardware with independent thread scheduling.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "machine/async_copies.hpp"
#include "machine/counts.hpp"
#include "machine/fault.hpp"
#include "machine/kernel.hpp"
#include "machine/profile.hpp"

namespace vgpu {

struct Block;

inline constexpr uint32_t kFullMask = 0xFFFFFFFFu;
/// Loop iterations after which a warp lets the others of its block run, and looks at the clock.
inline constexpr int32_t kFuel = 1 << 14;

/// What a strong load or an atomic operation that returns a value costs of it: a warp that waits
/// for a flag gives way soon.
inline constexpr int32_t kPollFuel = kFuel / 64;

/// Op::extra of a warp-wide operation that only synchronises: its lanes may stand at different
/// places.
inline constexpr uint32_t kNoExchange = 0xFFFFFFFFu;

/// Generic addresses of shared and local memory. Global memory keeps its host address.
inline constexpr uint64_t kSharedWindow = uint64_t{1} << 56;
inline constexpr uint64_t kLocalWindow = uint64_t{2} << 56;
/// Pointers to functions: the window plus 16 times the function's number in the module.
inline constexpr uint64_t kCodeWindow = uint64_t{3} << 56;
inline constexpr uint64_t kWindowMask = uint64_t{0xFF} << 56;

enum class WarpStatus : uint8_t { Ready, Barrier, Done };

/// Bounds of the allocation that an instruction touched last, and its map of touched sectors.
struct AccessCache {
  uint64_t begin = 0, end = 0;
  uint64_t* touched = nullptr;
};

/// Sectors of global memory that a warp has noted as touched: one for each lane of a row.
struct TouchedRow {
  const uint64_t* map = nullptr;
  uint64_t first = 0, step = 0;  ///< sectors
  uint32_t lanes = 0;
  bool operator==(const TouchedRow&) const = default;
};

struct Warp {
  // --- what every operation uses
  // -----------------------------------------------------------------------------------
  uint8_t* registers = nullptr;  ///< the current frame
  uint32_t active = 0;           ///< lanes that execute
  int32_t fuel = kFuel;
  bool polled = false;  ///< has asked since it last ran whether somebody else is ready
  /// Equal to `active` when a handler may take its fast way; 0 under observation.
  uint32_t quick = kFullMask;
  const Op* reconvergence = nullptr;   ///< where the current split's node waits, or nullptr
  BlockCount* block_counts = nullptr;  ///< of the CPU thread that runs this warp
  SiteCount* site_counts = nullptr;
  RunCount* run_counts = nullptr;
  AccessCache* caches = nullptr;
  const uint32_t* operands = nullptr;       ///< Kernel::operands
  const CompiledRegion* regions = nullptr;  ///< Kernel::regions
  uint8_t* shared = nullptr;                ///< shared memory of the block
  uint32_t shared_bytes = 0;
  uint32_t local_bytes = 0;  ///< local memory of one lane
  uint8_t* local = nullptr;  ///< lane after lane
  uint32_t local_base = 0;   ///< offset of the current frame's local memory
  std::array<uint32_t, kWarpSize>
      stack{};         ///< of each lane: where its alloca memory begins, which grows down
  uint32_t carry = 0;  ///< condition code of extended-precision arithmetic, one bit per lane
  uint32_t live = 0;   ///< lanes that have not exited
  Block* block = nullptr;
  int index = 0;  ///< in the block
  AsyncCopies copies;
  TouchedRow touched;  ///< the last one: a loop along rows of a matrix touches it many times

  template <class T>
  [[gnu::always_inline]] T* lanes(uint32_t offset) const {
    return reinterpret_cast<T*>(registers + offset);
  }
  [[gnu::always_inline]] uint32_t& predicate(uint32_t offset) const {
    return *reinterpret_cast<uint32_t*>(registers + offset);
  }

  /// The warp may be waiting for somebody else.
  void polls(int32_t cost) {
    fuel -= cost;
    polled = true;
  }

  // --- control flow (warp.cpp)
  // -------------------------------------------------------------------------------------
  /// Ready to start at `entry` with `lanes` threads.
  void start(const Op* entry, uint32_t lanes);
  /// Runs until the warp waits at a block barrier, gives way to other warps, or is done. Throws
  /// Fault.
  void run();

  WarpStatus status = WarpStatus::Ready;

  /// A branch that `taken` of the active lanes follow and the others do not; they meet again at
  /// `meet` (may be nullptr).
  const Op* diverge(const Op* target, uint32_t taken, const Op* fall_through, const Op* meet);
  /// A branch to several targets: lanes[i] of the active lanes go to targets[i].
  const Op* diverge(const Op* const* targets, const uint32_t* lanes, size_t count, const Op* meet);
  /// The current split has reached its node's meeting point `op`. Returns what to execute next.
  const Op* reconverge(const Op* op);
  /// The active lanes end. Returns what to execute next.
  const Op* exit_lanes();
  /// `leaving` of the active lanes end, the others go on at `next`.
  const Op* exit_some(uint32_t leaving, const Op* next);
  /// Out of fuel at `op`: lets other splits and warps run. Returns what to execute next.
  const Op* give_way(const Op* op);
  /// `op` needs the lanes `members` to execute it together and some are elsewhere. Returns what to
  /// execute next.
  const Op* collect(const Op* op, uint32_t members);
  /// `group` of the active lanes go on at `op`; the others will execute it apart from them.
  const Op* leave_behind(const Op* op, uint32_t group);
  /// The warp stops at a block barrier and continues at `next` when the block releases it.
  const Op* wait_at_barrier(const Op* next);

  /// Calls `callee`: a new frame above the current one. `caller` is the call's own operation.
  const Op* call(const Op* caller, const Code& callee, const Code& from);
  /// Returns from the current function to after its call. The callee's frame stays readable at
  /// `frame_above()`.
  const Op* return_from_call();
  uint8_t* frame_above() const { return returned_frame_; }

  /// What happened, kernel, source line, block, thread and detail, as lines of text.
  std::string report(const Op* op, int lane, const std::string& headline,
                     const std::string& detail) const;
  /// Stops the launch with a report that names kernel, line, block and thread.
  [[noreturn]] void fault(FaultCode code, const Op* op, int lane, const std::string& headline,
                          const std::string& detail) const;
  [[noreturn]] void fault(FaultCode code, const Op* op, int lane, const char* headline,
                          const char* detail) const;
  /// Where each split of this warp stands, for deadlock reports.
  std::string positions() const;
  /// A number that stays the same while no split changes its place.
  uint64_t places() const;
  /// What the warp executes when it runs next.
  const Op* next_operation() const { return pc_; }

 private:
  struct Node {
    const Op* meet = nullptr;
    uint32_t expected = 0, arrived = 0;
    int parent = -1, frame = -1;
  };
  struct Frame {
    const Op* call = nullptr;
    uint32_t registers = 0, local_base = 0;  // of the caller
    int parent = -1;
  };
  struct Split {
    const Op* pc = nullptr;
    uint32_t active = 0;
    int node = -1, frame = -1;
    uint32_t registers = 0, local_base = 0;
    const Op* waits_at = nullptr;  // collective operation, or nullptr when ready
    uint32_t members = 0;
  };

  Split current(const Op* pc) const;
  const Op* resume(const Split& split);
  const Op* next_split();
  const Op* release_collective(uint32_t members);
  uint32_t waiting_for(uint32_t members) const;
  bool is_block_barrier(const Op* op) const;
  int new_node(const Node& node);
  void settle(int node);

  std::vector<Split> others_;  // splits that do not run now
  std::vector<Node> nodes_;
  std::vector<int> free_nodes_;
  std::vector<Frame> frames_;
  int node_ = -1, frame_ = -1;
  const Op* pc_ = nullptr;
  uint8_t* returned_frame_ = nullptr;

 public:
  uint8_t* register_file = nullptr;  ///< frames lie in it one after the other
  size_t register_file_bytes = 0;
};

}  // namespace vgpu
