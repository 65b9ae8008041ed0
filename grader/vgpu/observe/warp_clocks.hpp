// Happens-before between the warps of a block: vector clocks (FastTrack: Flanagan and Freund, PLDI
// 2009), driven by barriers, __syncwarp(), and fences with strong accesses.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

namespace vgpu {

/// Times are numbers that only grow, over all warps and over all blocks that one CPU thread runs.
class WarpClocks {
 public:
  static constexpr size_t kMostWarps = 32;
  using Clock = std::array<uint32_t, kMostWarps>;

  explicit WarpClocks(size_t warps) : warps_(warps) {}

  /// A block starts: everything before it is past for every warp.
  void begin() {
    const uint32_t past = time_++;
    for (size_t w = 0; w < warps_; ++w) {
      known_[w].fill(past);
      now_[w] = time_;
      safe_[w] = past;
    }
    arrived_ = {};
    fenced_ = {};
    released_.clear();
  }
  /// Starts again from zero. True when the numbers have nearly run out.
  bool nearly_exhausted() const { return time_ > 0xF0000000u; }
  void reset() { time_ = 0; }

  /// The time that the accesses of `warp` carry now.
  uint32_t now(size_t warp) const { return now_[warp]; }
  /// What `warp` has seen of each warp: accesses up to that time are ordered before its own.
  const Clock& known(size_t warp) const { return known_[warp]; }
  /// Accesses of any warp up to this time are ordered before those of `warp`.
  uint32_t safe(size_t warp) const { return safe_[warp]; }

  void arrives(size_t warp, size_t barrier) { join(arrived_[barrier], advance(warp)); }
  /// The warps that one barrier releases go on at one time: then `safe` is exact.
  void released(size_t warp, size_t barrier) {
    if (release_time_ == 0) release_time_ = ++time_;
    join(known_[warp], arrived_[barrier]);
    known_[warp][warp] = now_[warp];
    now_[warp] = release_time_;
    settle(warp);
  }
  void completed(size_t barrier) {
    arrived_[barrier] = {};
    release_time_ = 0;
  }
  void warp_synchronised(size_t warp) {
    advance(warp);
    settle(warp);
  }
  void fence(size_t warp) { fenced_[warp] = advance(warp); }

  /// `warp` makes a strong write to `cell`: whoever reads it sees what came before the warp's last
  /// fence, or before the write itself when the instruction releases.
  void strong_write(size_t warp, uint32_t cell, bool releases) {
    if (releases) fence(warp);
    if (fenced_[warp][warp] != 0) join(released_[cell], fenced_[warp]);
  }
  void strong_read(size_t warp, uint32_t cell) {
    if (released_.empty()) return;
    const auto found = released_.find(cell);
    if (found != released_.end()) learn(warp, found->second);
  }

 private:
  static void join(Clock& into, const Clock& other) {
    for (size_t i = 0; i < kMostWarps; ++i) into[i] = std::max(into[i], other[i]);
  }
  // Closes the time of `warp`: what follows is later than what came before.
  const Clock& advance(size_t warp) {
    known_[warp][warp] = now_[warp];
    now_[warp] = ++time_;
    return known_[warp];
  }
  void learn(size_t warp, const Clock& other) {
    advance(warp);
    join(known_[warp], other);
    settle(warp);
  }
  void settle(size_t warp) {
    safe_[warp] = *std::min_element(known_[warp].begin(), known_[warp].begin() + warps_);
  }

  size_t warps_;
  uint32_t time_ = 0, release_time_ = 0;
  std::array<Clock, kMostWarps> known_{}, fenced_{};
  std::array<uint32_t, kMostWarps> now_{}, safe_{};
  std::array<Clock, 16> arrived_{};
  std::unordered_map<uint32_t, Clock> released_;  // by the cell of a strong write
};

}  // namespace vgpu
