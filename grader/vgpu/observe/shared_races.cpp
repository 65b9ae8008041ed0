// Races on shared memory: two accesses to one byte, at least one a write, with no barrier between
// them that both threads take part in. Happens-before is tracked with vector clocks over warps
// (FastTrack: Flanagan and Freund, PLDI 2009), and inside a warp by counting its own
// synchronisations.
#include <algorithm>
#include <array>

#include "observe/checks.hpp"
#include "observe/shared_shadow.hpp"

namespace vgpu {
namespace {

constexpr size_t kMostWarps = 32;
constexpr size_t kBarriers = 16;
using Clock = std::array<uint32_t, kMostWarps>;

void join(Clock& into, const Clock& other) {
  for (size_t i = 0; i < kMostWarps; ++i) into[i] = std::max(into[i], other[i]);
}

/// Who touched a byte last, and when by the clock of its warp. time 0: nobody.
struct Touch {
  uint32_t time = 0;
  uint8_t warp = 0, lane = 0;
  const Op* op = nullptr;
};

constexpr uint8_t kSeveralLanes = 255;

/// Touches that need not be ordered among themselves: the reads of a byte, or its atomic updates,
/// since the last write.
struct Touches {
  Touch last;
  std::vector<Touch> others;  // by other warps, one each
};

struct Byte {
  Touch write;
  Touches reads, atomics;
};

class SharedRaces final : public Observer {
 public:
  explicit SharedRaces(const Block& block) : bytes_(block.shared.size()) {}

  void begin(const Block&) override {
    std::fill(bytes_.begin(), bytes_.end(), Byte{});
    for (size_t w = 0; w < kMostWarps; ++w) {
      clocks_[w] = {};
      clocks_[w][w] = 1;
    }
    arrived_ = {};
  }

  void access(const Access& access) override {
    const auto warp = static_cast<uint8_t>(access.warp.index);
    const uint32_t now = clocks_[warp][warp];
    for_each_shared_byte(access, [&](int lane, uint64_t at) {
      return follow(access, at, {now, warp, static_cast<uint8_t>(lane), access.op});
    });
  }

  void arrives(const Warp& warp, uint32_t id) override {
    join(arrived_[id], clocks_[static_cast<size_t>(warp.index)]);
    ++clocks_[static_cast<size_t>(warp.index)][static_cast<size_t>(warp.index)];
  }
  void released(const Warp& warp, uint32_t id) override {
    join(clocks_[static_cast<size_t>(warp.index)], arrived_[id]);
  }
  void completed(uint32_t id) override { arrived_[id] = {}; }
  void warp_synchronised(const Warp& warp) override {
    ++clocks_[static_cast<size_t>(warp.index)][static_cast<size_t>(warp.index)];
  }

 private:
  /// True when what `before` did is visible to `now`: an earlier time of the same warp, the same
  /// lane, or ordered by a barrier.
  bool ordered(const Touch& before, const Touch& now) const {
    if (before.time == 0) return true;
    if (before.warp == now.warp)
      return before.lane == now.lane || before.time < now.time || before.op == now.op;
    return clocks_[now.warp][before.warp] >= before.time;
  }

  /// What `touch` is not ordered with among `touches`, or nullptr.
  const Touch* unordered(const Touches& touches, const Touch& touch) const {
    if (!ordered(touches.last, touch)) return &touches.last;
    for (const Touch& other : touches.others) {
      if (!ordered(other, touch)) return &other;
    }
    return nullptr;
  }

  /// False when a race was found.
  bool follow(const Access& access, uint64_t at, const Touch& touch) {
    Byte& byte = bytes_[at];
    const Intent intent = access.intent;
    const char* verb = intent == Intent::Load    ? "read"
                       : intent == Intent::Store ? "write"
                                                 : "atomic update";
    if (!ordered(byte.write, touch)) return report(access, at, touch, byte.write, "write", verb);
    // A plain read beside an atomic update is left alone: compare-and-swap loops begin with one.
    if (intent == Intent::Store) {
      if (const Touch* read = unordered(byte.reads, touch))
        return report(access, at, touch, *read, "read", verb);
      if (const Touch* update = unordered(byte.atomics, touch))
        return report(access, at, touch, *update, "atomic update", verb);
    }
    if (intent == Intent::Load) note(byte.reads, touch);
    if (intent == Intent::Atomic) note(byte.atomics, touch);
    if (intent == Intent::Store) byte = {touch, {}, {}};
    return true;
  }

  void note(Touches& touches, const Touch& touch) const {
    Touch& last = touches.last;
    if (last.time == 0 || last.warp == touch.warp) return merge(last, touch);
    if (touches.others.empty() && ordered(last, touch)) return merge(last, touch);
    for (Touch& other : touches.others) {
      if (other.warp == touch.warp) return merge(other, touch);
    }
    touches.others.push_back(touch);
  }

  static void merge(Touch& known, const Touch& touch) {
    const bool another_lane =
        known.warp == touch.warp && known.time == touch.time && known.lane != touch.lane;
    known = touch;
    if (another_lane) known.lane = kSeveralLanes;
  }

  static bool report(const Access& access, uint64_t at, const Touch& now, const Touch& before,
                     const char* earlier, const char* later) {
    const Kernel& kernel = *access.warp.block->context.kernel;
    const bool in_warp = now.warp == before.warp;
    const std::string other =
        before.lane == kSeveralLanes
            ? "several threads of warp " + std::to_string(before.warp)
            : "thread " + std::to_string(before.warp * kWarpSize + before.lane);
    access.warp.block->find(
        "race", access.warp, access.op, now.lane,
        std::string("race on shared memory: this ") + later + " and an earlier " + earlier +
            " are not ordered",
        shared_place(at) + "; the " + earlier + " was by " + other + ", at line " +
            std::to_string(kernel.sites[before.op->site].line) + "\n" +
            (in_warp ? "both are in one warp: add __syncwarp() between them"
                     : "they are in different warps: add __syncthreads() between them"));
    return false;
  }

  std::vector<Byte> bytes_;
  std::array<Clock, kMostWarps> clocks_{};
  std::array<Clock, kBarriers> arrived_{};
};

}  // namespace

std::unique_ptr<Observer> watch_shared_races(const Block& block) {
  return std::make_unique<SharedRaces>(block);
}

}  // namespace vgpu
