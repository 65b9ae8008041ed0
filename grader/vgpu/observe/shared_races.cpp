// Races on shared memory: two accesses to one cell, at least one a write, that no barrier orders
// (observe/warp_clocks.hpp). Inside a warp only __syncwarp() orders its lanes.
#include <vector>

#include "observe/checks.hpp"
#include "observe/shared_shadow.hpp"
#include "observe/warp_clocks.hpp"

namespace vgpu {
namespace {

/// Who touched cells and when: a time of WarpClocks, and a lane, a warp and an instruction in one
/// word.
struct Marks {
  std::vector<uint32_t> time, who;
  uint32_t latest = 0;  ///< no time is later

  explicit Marks(size_t cells = 0) : time(cells), who(cells) {}
  bool empty() const { return time.empty(); }
};

constexpr uint32_t kWarpShift = 6, kSiteShift = 11;
uint32_t lane_in(uint32_t who) {
  return who & 63;
}
uint32_t warp_in(uint32_t who) {
  return who >> kWarpShift & 31;
}
uint32_t site_in(uint32_t who) {
  return who >> kSiteShift;
}

VGPU_CELL_LOOP bool many_up_to(const uint32_t* time, uint32_t count, uint32_t limit) {
  uint32_t latest = 0;
  for (uint32_t k = 0; k < count; ++k) latest = time[k] > latest ? time[k] : latest;
  return latest <= limit;
}
// The latest of the first `each` cells of every lane; lanes that are off repeat one that is on.
VGPU_CELL_LOOP uint32_t latest_of_lanes(const uint32_t* time, const uint32_t* cell, uint32_t each) {
  uint32_t latest = 0;
  for (uint32_t k = 0; k < each; ++k) {
    for (int lane = 0; lane < kWarpSize; ++lane) {
      const uint32_t t = time[cell[lane] + k];
      latest = t > latest ? t : latest;
    }
  }
  return latest;
}

// `known`: up to when the touches of each warp are ordered.
VGPU_CELL_LOOP bool many_known(const uint32_t* time, const uint32_t* who, uint32_t count,
                               const uint32_t* known) {
  uint32_t unknown = 0;
  for (uint32_t k = 0; k < count; ++k) unknown |= time[k] > known[who[k] >> kWarpShift & 31];
  return unknown == 0;
}

VGPU_CELL_LOOP void fill(uint32_t* time, uint32_t* who, uint32_t count, uint32_t now,
                         uint32_t reader) {
  for (uint32_t k = 0; k < count; ++k) {
    time[k] = now;
    who[k] = reader;
  }
}

// Each cell by a lane of its own; two lanes of one warp at one time become kManyLanes.
VGPU_CELL_LOOP void fill_lanes(uint32_t* time, uint32_t* who, uint32_t count, uint32_t now,
                               uint32_t reader, uint32_t each_shift) {
  for (uint32_t k = 0; k < count; ++k) {
    const uint32_t mine = reader + (k >> each_shift);
    const uint32_t another = time[k] == now && (who[k] & 63) != (mine & 63);
    time[k] = now;
    who[k] = another ? (mine & ~63u) | kManyLanes : mine;
  }
}

// One cell of each lane. Lanes that are off repeat the mark of the first that is on.
VGPU_CELL_LOOP void mark_lanes(uint32_t* time, uint32_t* who, const uint32_t* cell, uint32_t lanes,
                               uint32_t now, uint32_t writer) {
  const auto first = static_cast<uint32_t>(__builtin_ctz(lanes));
  VGPU_INDEPENDENT
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    time[cell[lane]] = now;
    who[cell[lane]] = writer | ((lanes >> lane & 1) != 0 ? lane : first);
  }
}

class SharedRaces final : public Observer {
 public:
  explicit SharedRaces(const Block& block)
      : grid_(block),
        sites_(block.context.kernel->sites),
        warps_(block.warps()),
        clocks_(warps_),
        writes_(grid_.count()),
        reads_(warps_, Marks(grid_.count())),
        updates_(warps_) {}

  bool watches(MemoryKind kind) const override { return kind == MemoryKind::Shared; }

  void begin(const Block&) override {
    if (clocks_.nearly_exhausted()) {
      clocks_.reset();
      writes_ = Marks(grid_.count());
      for (Marks& reads : reads_) reads = Marks(grid_.count());
      for (Marks& updates : updates_) updates = Marks();
    }
    clocks_.begin();
    has_updates_ = false;
  }

  void access(const Access& access) override {
    const Site& site = sites_[access.op->site];
    if (site.strength != Strength::Weak || access.intent == Intent::Atomic)
      order(access, site);
    else if (!has_updates_ && follow_lanes(access))
      return;
    grid_.for_each(access, [&](const Cells& cells) { return follow(access, site, cells); });
  }

  bool broadcast(const Warp& warp, const Op* op, uint32_t address, uint32_t bytes) override {
    const Cells cells{grid_.cell(address), bytes / grid_.bytes(), kManyLanes};
    const auto w = static_cast<size_t>(warp.index);
    if (has_updates_ || !is_past(writes_, cells, w)) return false;
    mark(reads_[w], cells, warp, op->site);
    return true;
  }

  void copy_landed(const Access& access) override {
    grid_.for_each(access, [&](const Cells& cells) {
      mark(writes_, cells, access.warp, access.op->site);
      return true;
    });
  }

  void arrives(const Warp& warp, const Op*, uint32_t id) override {
    clocks_.arrives(static_cast<size_t>(warp.index), id);
  }
  void released(const Warp& warp, uint32_t id) override {
    clocks_.released(static_cast<size_t>(warp.index), id);
  }
  void completed(uint32_t id) override { clocks_.completed(id); }
  void warp_synchronised(const Warp& warp) override {
    clocks_.warp_synchronised(static_cast<size_t>(warp.index));
  }
  void fence(const Warp& warp) override { clocks_.fence(static_cast<size_t>(warp.index)); }

 private:
  enum class Kind : uint8_t { Read, Write, Update };

  // The usual case of a weak access at once. False: something may not be ordered, or the lanes use
  // neighbouring cells, which follow() does faster.
  bool follow_lanes(const Access& access) {
    const uint64_t step = access.address[1] - access.address[0];
    if (access.lanes == kFullMask && (step == 0 || step == access.size)) return false;
    const auto w = static_cast<size_t>(access.warp.index);
    const uint32_t each = std::max(access.size / grid_.bytes(), 1u);
    const uint32_t safe = clocks_.safe(w);
    alignas(64) uint32_t cell[kWarpSize];
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) cell[lane] = grid_.cell(access.address[lane]);
    const auto is_past = [&](const Marks& marks) {
      return marks.latest <= safe || latest_of_lanes(marks.time.data(), cell, each) <= safe;
    };
    if (!is_past(writes_)) return false;
    const bool is_read = access.intent == Intent::Load;
    if (!is_read) {
      for (const Marks& reads : reads_) {
        if (!is_past(reads)) return false;
      }
    }
    Marks& marks = is_read ? reads_[w] : writes_;
    if (!is_read && each == 1) {
      const uint32_t now = clocks_.now(w);
      const uint32_t who = access.op->site << kSiteShift | static_cast<uint32_t>(w) << kWarpShift;
      mark_lanes(marks.time.data(), marks.who.data(), cell, access.lanes, now, who);
      marks.latest = now;
      return true;
    }
    for (uint32_t left = access.lanes; left != 0; left &= left - 1) {
      const auto lane = static_cast<uint32_t>(std::countr_zero(left));
      mark(marks, {cell[lane], each, lane}, access.warp, access.op->site);
    }
    return true;
  }

  // Strong accesses and atomic operations pass on what their warps have seen.
  void order(const Access& access, const Site& site) {
    const auto w = static_cast<size_t>(access.warp.index);
    grid_.for_each(access, [&](const Cells& cells) {
      if (access.intent != Intent::Store) clocks_.strong_read(w, cells.first);
      if (access.intent != Intent::Load)
        clocks_.strong_write(w, cells.first, site.strength == Strength::Releasing);
      return true;
    });
  }

  // False when a race was found.
  bool follow(const Access& access, const Site& site, const Cells& cells) {
    const auto w = static_cast<size_t>(access.warp.index);
    const Kind kind = access.intent == Intent::Load     ? Kind::Read
                      : access.intent == Intent::Atomic ? Kind::Update
                      : site.strength == Strength::Weak ? Kind::Write
                                                        : Kind::Update;
    if (!check(access, cells, kind, writes_, Kind::Write)) return false;
    if (kind == Kind::Write) {
      for (const Marks& reads : reads_) {
        if (!check(access, cells, kind, reads, Kind::Read)) return false;
      }
    }
    if (has_updates_ && access.intent != Intent::Atomic) {
      for (const Marks& updates : updates_) {
        if (!updates.empty() && !check(access, cells, kind, updates, Kind::Update)) return false;
      }
    }
    if (kind == Kind::Update) {
      meet_readers(access, cells);
      if (updates_[w].empty()) updates_[w] = Marks(grid_.count());
      has_updates_ = true;
    }
    Marks& marks = kind == Kind::Read ? reads_[w] : kind == Kind::Write ? writes_ : updates_[w];
    mark(marks, cells, access.warp, access.op->site);
    return true;
  }

  /// True when all marks on the cells are ordered before what warp `w` does now.
  bool is_past(const Marks& marks, const Cells& cells, size_t w) const {
    if (marks.latest <= clocks_.safe(w)) return true;
    const uint32_t* time = marks.time.data() + cells.first;
    if (cells.count == 1) return time[0] <= clocks_.safe(w);
    return many_up_to(time, cells.count, clocks_.safe(w)) ||
           many_known(time, marks.who.data() + cells.first, cells.count, clocks_.known(w).data());
  }

  bool is_strong(uint32_t site) const {
    return sites_[site].strength != Strength::Weak || sites_[site].kind == InstructionClass::Atomic;
  }

  /// True when every one of the `earlier` marks on the cells is ordered before this access.
  bool check(const Access& access, const Cells& cells, Kind kind, const Marks& earlier,
             Kind earlier_kind) const {
    const auto w = static_cast<size_t>(access.warp.index);
    const uint32_t* time = earlier.time.data() + cells.first;
    if (is_past(earlier, cells, w)) return true;
    const bool strong = is_strong(access.op->site);
    for (uint32_t k = 0; k < cells.count; ++k) {
      const uint32_t who = earlier.who[cells.first + k], site = site_in(who);
      if (time[k] <= clocks_.known(w)[warp_in(who)]) continue;
      if (warp_in(who) == w) {
        const uint32_t lane = lane_of(cells, k);
        if (lane_in(who) == lane && lane != kManyLanes) continue;
        if (site == access.op->site) continue;  // lanes of one instruction
        if (strong && sites_[site].kind == InstructionClass::Atomic) continue;
      } else if (strong && is_strong(site)) {
        continue;  // strong accesses of two warps do not race
      }
      // Compare-and-swap loops begin with a plain read: see meet_readers().
      const bool tentative = kind == Kind::Read && earlier_kind == Kind::Update;
      report(access, cells, k, who, kind, earlier_kind,
             tentative ? access.op->site : Finding::kFirm);
      return tentative;
    }
    return true;
  }

  // An atomic update of cells that somebody has read without order is a race, unless the reading
  // instruction belongs to a loop that goes on with an atomic update itself.
  void meet_readers(const Access& access, const Cells& cells) const {
    const auto w = static_cast<size_t>(access.warp.index);
    for (size_t r = 0; r < warps_; ++r) {
      const Marks& reads = reads_[r];
      for (uint32_t k = 0; k < cells.count; ++k) {
        const uint32_t who = reads.who[cells.first + k], site = site_in(who);
        if (reads.time[cells.first + k] <= clocks_.known(w)[r]) continue;
        const uint32_t lane = lane_of(cells, k);
        if (r == w && (lane_in(who) == lane || lane_in(who) == kManyLanes || lane == kManyLanes)) {
          access.warp.block->clear(site);
        } else if (!is_strong(site)) {
          report(access, cells, k, who, Kind::Update, Kind::Read, site);
          break;
        }
      }
    }
  }

  void mark(Marks& marks, const Cells& cells, const Warp& warp, uint32_t site) const {
    const auto w = static_cast<uint32_t>(warp.index);
    const uint32_t now = clocks_.now(w), who = site << kSiteShift | w << kWarpShift;
    uint32_t* const time = marks.time.data() + cells.first;
    uint32_t* const by = marks.who.data() + cells.first;
    marks.latest = now;
    if (cells.each == 0 && cells.count <= 4) {
      for (uint32_t k = 0; k < cells.count; ++k) {
        const bool another = time[k] == now && lane_in(by[k]) != cells.lane;
        time[k] = now;
        by[k] = who | (another ? kManyLanes : cells.lane);
      }
      return;
    }
    if (cells.lane == kManyLanes) return fill(time, by, cells.count, now, who | kManyLanes);
    const auto shift = static_cast<uint32_t>(
        cells.each == 0 ? 31 : std::countr_zero(cells.each));  // all cells by one lane
    fill_lanes(time, by, cells.count, now, who | cells.lane, shift);
  }

  void report(const Access& access, const Cells& cells, uint32_t k, uint32_t before, Kind now,
              Kind earlier, uint32_t suspect) const {
    static constexpr const char* kVerbs[] = {"read", "write", "atomic update"};
    const char* const verb = kVerbs[static_cast<int>(now)];
    const char* const other = kVerbs[static_cast<int>(earlier)];
    const bool in_warp = warp_in(before) == static_cast<uint32_t>(access.warp.index);
    const std::string by =
        lane_in(before) == kManyLanes
            ? "several threads of warp " + std::to_string(warp_in(before))
            : "thread " + std::to_string(warp_in(before) * kWarpSize + lane_in(before));
    Block& block = *access.warp.block;
    block.find({"race", access.warp, access.op, some_lane(cells, k, access), suspect},
               std::string("race on shared memory: this ") + verb + " and an earlier " + other +
                   " are not ordered",
               shared_place(block, grid_.address(cells.first + k)) + "; the " + other + " was by " +
                   by + ", at " + source_place(*block.context.kernel, sites_[site_in(before)]) +
                   "\n" +
                   (in_warp ? "both are in one warp: add __syncwarp() between them"
                            : "they are in different warps: add __syncthreads() between them"));
  }

  CellGrid grid_;
  const std::vector<Site>& sites_;
  size_t warps_;
  WarpClocks clocks_;
  Marks writes_;                // the last of each cell
  std::vector<Marks> reads_;    // the last of each warp
  std::vector<Marks> updates_;  // atomic ones, the last of each warp; empty until there is one
  bool has_updates_ = false;
};

}  // namespace

std::unique_ptr<Observer> watch_shared_races(const Block& block) {
  if (block.context.shared_bytes == 0) return nullptr;
  return std::make_unique<SharedRaces>(block);
}

}  // namespace vgpu
