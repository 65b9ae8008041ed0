// One thread block: its warps, shared memory and barriers, and the scheduler that takes turns among
// the warps.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "machine/device.hpp"
#include "machine/kernel.hpp"
#include "machine/warp.hpp"

namespace vgpu {

/// What every block of a launch shares.
struct LaunchContext {
  const Kernel* kernel = nullptr;
  const Launch* launch = nullptr;
  const GpuProfile* profile = nullptr;
  const std::vector<ObserverFactory>* observers = nullptr;
  DeviceMemory* memory = nullptr;
  DeviceHeap* heap = nullptr;
  std::shared_ptr<const AllocationTable> allocations;
  std::vector<std::unique_ptr<uint64_t[]>>
      touched;                      ///< per allocation, one bit for each 32-byte sector
  std::vector<uint8_t> parameters;  ///< the kernel's parameter buffer
  uint32_t shared_bytes = 0;        ///< static and dynamic, per block
  uint64_t grid_id = 0;
  uint64_t grid_workspace = 0;  ///< of a cooperative launch: where its blocks meet
  unsigned threads = 1;         ///< of the CPU that run blocks
  double timeout_seconds = 0;   ///< of CPU time of each thread, so that a busy machine ends nothing
  std::chrono::steady_clock::time_point start;
  std::atomic<uint64_t> next_block{0};
  std::atomic<uint64_t> finished_blocks{0};
  std::atomic<unsigned> busy_threads{0};   ///< that have blocks to run
  std::atomic<unsigned> stuck_threads{0};  ///< of them those whose blocks wait and do not change
  std::atomic<uint64_t> last_block{
      ~uint64_t{0}};  ///< blocks above it need not run: a lower one has failed
};

/// CPU time of the calling thread.
double cpu_seconds_of_thread();

/// Executes blocks one after the other on one CPU thread, reusing its memory.
struct Block {
  explicit Block(LaunchContext& context);

  /// Begins block `number` of the grid.
  void start(uint64_t number);
  enum class Progress : uint8_t {
    Working,
    Waiting,  ///< every warp asks again and again for something that has not happened yet
    Done,
  };
  /// Lets each warp that can run have its turn. Throws Fault.
  Progress advance();
  /// A number that stays the same while no warp changes its registers or its place.
  uint64_t state() const;
  /// Where each warp stands, for deadlock reports.
  std::string positions() const;
  /// Throws the fault of a grid whose blocks all wait; `detail` says where.
  [[noreturn]] void report_grid_deadlock(const std::string& detail) const;
  size_t memory_bytes() const;

  /// Throws Fault when the launch has run for too long or need not go on. Called from long loops.
  void check_clock(const Warp& warp, const Op* op);

  /// A warp arrives at barrier `id` with `threads` expected in all (0: every live thread). `waits`
  /// is false for bar.arrive. `vote` holds the lanes with a true predicate of bar.red, `result`
  /// where its outcome goes.
  struct Arrival {
    uint32_t id = 0, threads = 0;
    bool waits = true;
    uint32_t lanes = 0;
    const Op* op = nullptr;
    enum class Reduction : uint8_t { None, Popc, And, Or } reduction = Reduction::None;
    uint32_t vote = 0;
  };
  /// True when the warp has to wait.
  bool arrive(Warp& warp, const Arrival& arrival);
  size_t warps() const { return warps_.size(); }

  /// The outcome of the reduction that the warp waited for.
  uint32_t reduction(const Warp& warp) const {
    return waiting_[static_cast<size_t>(warp.index)].result;
  }

  /// Fills constants and special registers of `code`'s frame for the active lanes of a warp that
  /// calls it.
  void enter(const Warp& warp, const Code& code) const;

  /// Fills `cache` with the allocation that holds `address`. False when there is none. The slow
  /// path of an access.
  bool find_allocation(uint64_t address, AccessCache& cache) const;

  /// Notes what a check has found, once for each instruction and kind (observer.cpp). It does not
  /// count when `clear` is called for the instruction `suspect`, by any block.
  struct Found {
    const char* kind;
    const Warp& warp;
    const Op* op;
    int lane;
    uint32_t suspect = Finding::kFirm;
  };
  void find(const Found& what, const std::string& headline, const std::string& detail);
  void clear(uint32_t site);

  LaunchContext& context;
  std::array<uint32_t, 3> index{};  ///< ctaid
  uint64_t linear = 0;              ///< the block's number in the grid
  RawCounts counts;
  std::vector<AccessCache> caches;  ///< per site
  std::vector<uint8_t> shared;
  std::vector<std::unique_ptr<Observer>> observers;
  /// Those of them that watch a kind of memory.
  const std::vector<Observer*>& watching(MemoryKind kind) const {
    return watching_[static_cast<size_t>(kind)];
  }

 private:
  static constexpr size_t kBarriers = 16;
  struct Barrier {
    uint32_t arrived = 0, expected = 0;  // threads
    uint32_t popc = 0, total = 0;
  };
  struct Waiting {
    int barrier = -1;
    const Op* op = nullptr;
    Arrival::Reduction kind = Arrival::Reduction::None;
    uint32_t result = 0;
  };

  void prepare_warp(Warp& warp, uint32_t threads);
  uint64_t special(const Warp& warp, Special which, uint32_t lane) const;
  void release(size_t barrier);
  bool release_barriers();
  void note_size();
  [[noreturn]] void report_deadlock();

  std::array<std::vector<Observer*>, 3> watching_;
  std::vector<Warp> warps_;
  /// Zeros that take memory only where they are touched: room for recursion is large.
  struct Release {
    void operator()(uint8_t* bytes) const { std::free(bytes); }
  };
  using Zeros = std::unique_ptr<uint8_t, Release>;
  static Zeros make_zeros(size_t bytes);
  Zeros register_memory_, local_memory_;
  std::vector<Waiting> waiting_;
  std::array<Barrier, kBarriers> barriers_{};
  double started_;                // by the clock of this CPU thread
  size_t running_ = 0;            // warps that are not done
  uint64_t executed_before_ = 0;  // warp instructions of all earlier blocks that ran here
};

}  // namespace vgpu
