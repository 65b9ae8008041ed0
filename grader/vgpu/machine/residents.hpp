// The blocks that one CPU thread runs. Usually it is one after the other; when a block only waits,
// others of the grid start beside it and take turns, as they would on a GPU: what it waits for may
// be theirs to do.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "machine/block.hpp"

namespace vgpu {

class Residents {
 public:
  /// `most`: blocks that may be under way at once, on all CPU threads together.
  Residents(LaunchContext& context, uint64_t blocks, uint64_t most)
      : context_(context), blocks_(blocks), most_(most) {}

  /// Takes blocks off the grid and runs them until there are none left. Throws Fault; `current()`
  /// is the block that faulted.
  void run();
  uint64_t current() const { return current_; }

  /// Adds what the blocks have counted.
  void add_counts(RawCounts& total) const;

 private:
  bool start_one();
  void look_for_deadlock();
  void set_stuck(bool stuck);

  LaunchContext& context_;
  uint64_t blocks_, most_, current_ = 0;
  std::vector<std::unique_ptr<Block>> active_, idle_;
  size_t at_ = 0;       // whose turn it is
  size_t in_vain_ = 0;  // turns since the last that did some work
  uint64_t state_ = 0;  // of all active blocks, when they were last looked at
  bool is_stuck_ = false;
  std::chrono::steady_clock::time_point stuck_since_;
};

}  // namespace vgpu
