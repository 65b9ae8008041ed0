// What the check of races between blocks knows of global memory: for each cell who wrote it, who
// read it and who updated it atomically in the current launch. Shared by the CPU threads that run
// the blocks of a launch.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "machine/block.hpp"

namespace vgpu {

/// A launch (modulo 2^16 - 1, plus 1; 0: nobody), a block and an instruction, in one word.
using GlobalMark = uint64_t;
inline constexpr uint32_t kManyBlocks = 0xFFFFFFFFu;
inline constexpr uint32_t kManySites = 0xFFFF;  ///< in place of instructions beyond

inline GlobalMark global_mark(uint64_t launch, uint64_t block) {
  return (launch % 0xFFFF + 1) << 48 | (block & 0xFFFFFFFFu) << 16;
}
inline uint32_t block_in(GlobalMark mark) {
  return static_cast<uint32_t>(mark >> 16);
}
inline uint32_t site_in(GlobalMark mark) {
  return static_cast<uint32_t>(mark & 0xFFFF);
}
inline bool same_launch(GlobalMark a, GlobalMark b) {
  return (a ^ b) >> 48 == 0;
}
inline bool same_block(GlobalMark a, GlobalMark b) {
  return (a ^ b) >> 16 == 0;
}

using BlockSet = std::unordered_set<uint32_t>;

/// Blocks that a block has heard of, by strong accesses.
struct Heard {
  BlockSet releases;  ///< all that they did is ordered
  BlockSet readings;  ///< what they read is ordered; what they wrote need not be
};

class GlobalShadow {
 public:
  GlobalShadow() = default;
  ~GlobalShadow();
  GlobalShadow(const GlobalShadow&) = delete;
  GlobalShadow& operator=(const GlobalShadow&) = delete;

  /// Makes ready for the launch of `context`. Called by each of its CPU threads. Throws
  /// std::bad_alloc when the address space is not to be had.
  void prepare(const LaunchContext& context);

  std::atomic<bool> has_updates{false};  ///< in this launch

  using Cell = std::atomic<GlobalMark>;
  Cell* writes() const { return map_; }
  Cell* reads() const { return map_ + cells_; }
  Cell* updates() const { return map_ + 2 * cells_; }

  /// Notes that a page of global memory is written in this launch; `offset` in the reserved range.
  void write_page(uint64_t offset, GlobalMark mark) const {
    pages_[offset >> kPageShift].store(static_cast<uint16_t>(mark >> 48),
                                       std::memory_order_relaxed);
  }
  /// False when nothing has been written in [first, last] in this launch.
  bool any_write(uint64_t first, uint64_t last, GlobalMark mark) const {
    constexpr uint64_t kMostPages = 16;
    if (last - first > kMostPages << kPageShift) return true;
    for (uint64_t page = first >> kPageShift; page <= last >> kPageShift; ++page) {
      if (pages_[page].load(std::memory_order_relaxed) == mark >> 48) return true;
    }
    return false;
  }

  /// `block`, which has heard of others, makes a strong write to `address`. `releases`: all that
  /// came before is ordered before what a reader does; otherwise only what was read before is.
  void pass_on(uint64_t address, uint32_t block, const Heard& heard, bool releases);
  /// A block reads `address` by a strong access: adds to `heard` what writes there passed on.
  void acquire(uint64_t address, Heard& heard);

 private:
  size_t page_count() const { return (cells_ >> kPageShift) + 1; }

  std::mutex mutex_;
  uint64_t launch_ = 0, cells_ = 0;
  Cell* map_ = nullptr;
  static constexpr uint32_t kPageShift = 12;
  std::atomic<uint16_t>* pages_ = nullptr;  // the last launch that wrote there
  std::atomic<bool> any_passed_on_{false};
  std::unordered_map<uint64_t, Heard> passed_on_;  // by the address of a strong write
};

}  // namespace vgpu
