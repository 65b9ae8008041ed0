// Races between blocks on global memory: two blocks of one launch touch the same bytes, at least
// one writes, and nothing orders them. Blocks run in any order, so only atomic operations, or a
// fence followed by a strong access that the other block reads, can order them. Reads need no
// fence: the values have arrived when the block has met at a barrier and then makes a strong store
// of what came of them. The one-pass selections of CUB work in place and rely on that. What a block
// did after its release counts as ordered too: nothing correct is reported.
#include <algorithm>
#include <bit>
#include <vector>

#include "observe/cell_loop.hpp"
#include "observe/checks.hpp"
#include "observe/global_shadow.hpp"

namespace vgpu {
namespace {

class GlobalRaces final : public Observer {
 public:
  GlobalRaces(const Block& block, std::shared_ptr<GlobalShadow> shadow)
      : shadow_(std::move(shadow)),
        memory_(*block.context.memory),
        sites_(block.context.kernel->sites),
        grid_(block.context.launch->grid),
        concurrent_(block.context.threads > 1),
        shift_(static_cast<uint32_t>(std::countr_zero(block.context.kernel->global_cell))),
        read_here_(std::min<size_t>(sites_.size(), kManySites) + 1) {
    shadow_->prepare(block.context);
  }

  bool watches(MemoryKind kind) const override { return kind == MemoryKind::Global; }

  void begin(const Block& block) override {
    mine_ = global_mark(block.context.grid_id, block.linear);
    heard_ = {};
    just_read_.clear();
    std::fill(read_here_.begin(), read_here_.end(), Range{});
    has_fenced_ = false;
    has_met_ = block.warps() == 1;
  }

  void fence(const Warp&) override { has_fenced_ = true; }
  void arrives(const Warp&, const Op*, uint32_t) override { has_met_ = true; }

  void access(const Access& access) override {
    const Site& site = sites_[access.op->site];
    const bool strong = site.strength != Strength::Weak || access.intent == Intent::Atomic;
    const Kind kind = access.intent == Intent::Load ? Kind::Read
                      : strong                      ? Kind::Update
                                                    : Kind::Write;
    for (const uint64_t address : just_read_) shadow_->acquire(address, heard_);
    just_read_.clear();
    if (strong) order(access, site);
    if (kind == Kind::Update) shadow_->has_updates = true;
    if (kind == Kind::Read && !strong) {
      Range& range = read_here_[std::min(access.op->site, kManySites)];
      range = {std::min(range.low, access.low), std::max(range.high, access.high)};
    }
    // First everybody leaves a mark, then looks for others: of two blocks that run at the same time
    // at least one sees the other.
    Found found;
    if (kind != Kind::Read) found = look(access, kind, strong);
    if (kind != Kind::Read || !strong) {
      GlobalShadow::Cell* const marks = kind == Kind::Read    ? shadow_->reads()
                                        : kind == Kind::Write ? shadow_->writes()
                                                              : shadow_->updates();
      const GlobalMark mark = mine_ | std::min(access.op->site, kManySites);
      if (access.size == 1u << shift_)
        leave_lanes(access, marks, mark);
      else
        for_each_cell(access, [&](size_t cell, int) { leave(marks[cell], mark); });
      if (kind != Kind::Read) {
        for (uint32_t left = access.lanes; left != 0; left &= left - 1)
          shadow_->write_page(access.address[std::countr_zero(left)] - memory_.base(), mine_);
      }
      if (concurrent_) std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    const uint64_t first = access.low - memory_.base();
    const uint64_t last = access.high - memory_.base() + access.size - 1;
    if (kind == Kind::Read && !shadow_->any_write(first, last, mine_)) return;
    if (found.earlier == 0) found = look(access, kind, strong);
    if (found.earlier != 0) report(access, kind, found);
  }

 private:
  enum class Kind : uint8_t { Read, Write, Update };
  /// First and last address of some accesses.
  struct Range {
    uint64_t low = ~uint64_t{0}, high = 0;
  };
  /// What is not ordered with an access.
  struct Found {
    GlobalMark earlier = 0;
    Kind kind = Kind::Read;
    int lane = 0;
  };

  template <class F>
  void for_each_cell(const Access& access, F visit) const {
    const uint32_t cells = access.size >> shift_ == 0 ? 1 : access.size >> shift_;
    for (uint32_t left = access.lanes; left != 0; left &= left - 1) {
      const int lane = std::countr_zero(left);
      const size_t first = (access.address[lane] - memory_.base()) >> shift_;
      for (uint32_t k = 0; k < cells; ++k) visit(first + k, lane);
    }
  }

  // leave() for one cell of each lane.
  void leave_lanes(const Access& access, GlobalShadow::Cell* marks, GlobalMark mark) const {
#if defined(__SANITIZE_THREAD__)
    for_each_cell(access, [&](size_t cell, int) { leave(marks[cell], mark); });
#else
    // Aligned words are read and written whole, by vector instructions too.
    static_assert(sizeof(GlobalShadow::Cell) == sizeof(GlobalMark));
    leave_marks(reinterpret_cast<GlobalMark*>(marks), access.address, memory_.base(), shift_, mine_,
                mark);
#endif
  }

  VGPU_CELL_LOOP static void leave_marks(GlobalMark* marks, const uint64_t* address, uint64_t base,
                                         uint32_t shift, GlobalMark mine, GlobalMark mark) {
    VGPU_INDEPENDENT
    for (int lane = 0; lane < kWarpSize; ++lane) {
      GlobalMark& cell = marks[(address[lane] - base) >> shift];
      const GlobalMark old = cell;
      const GlobalMark many = same_launch(old, mine) ? GlobalMark{kManyBlocks} << 16 : 0;
      cell = same_block(old, mine) ? old : mark | many;
    }
  }

  void leave(GlobalShadow::Cell& cell, GlobalMark mark) const {
    const GlobalMark old = cell.load(std::memory_order_relaxed);
    if (same_block(old, mine_)) return;
    if (same_launch(old, mine_)) mark |= GlobalMark{kManyBlocks} << 16;
    cell.store(mark, std::memory_order_relaxed);
  }

  Found look(const Access& access, Kind kind, bool strong) const {
    Found found;
    look_at(access, shadow_->writes(), Kind::Write, found);
    if (!strong && shadow_->has_updates) look_at(access, shadow_->updates(), Kind::Update, found);
    if (kind == Kind::Read) return found;
    if (kind == Kind::Update) {
      // Compare-and-swap loops begin with a plain read. The mark of this block's own may be gone:
      // others read there too.
      for_each_cell(access, [&](size_t cell, int lane) {
        const GlobalMark reader = shadow_->reads()[cell].load(std::memory_order_relaxed);
        const uint64_t at = access.address[lane];
        if (!same_launch(reader, mine_)) return;
        const Range& range = read_here_[std::min(site_in(reader), kManySites)];
        if (range.low <= at && at <= range.high) access.warp.block->clear(site_in(reader));
      });
    }
    look_at(access, shadow_->reads(), Kind::Read, found);
    return found;
  }

  void look_at(const Access& access, const GlobalShadow::Cell* marks, Kind kind,
               Found& found) const {
    uint64_t others = 0;
    for_each_cell(access, [&](size_t cell, int) {
      const GlobalMark mark = marks[cell].load(std::memory_order_relaxed);
      others |= static_cast<uint64_t>(same_launch(mark, mine_) && !same_block(mark, mine_));
    });
    if (others == 0 || found.earlier != 0) return;
    for_each_cell(access, [&](size_t cell, int lane) {
      const GlobalMark mark = marks[cell].load(std::memory_order_relaxed);
      if (found.earlier == 0 && unordered(mark, kind)) found = {mark, kind, lane};
    });
  }

  bool unordered(GlobalMark mark, Kind kind) const {
    if (!same_launch(mark, mine_) || same_block(mark, mine_)) return false;
    const uint32_t block = block_in(mark);
    // Which of many blocks it was is not known: after any release it may be ordered.
    const auto orders = [&](const BlockSet& blocks) {
      return block == kManyBlocks ? !blocks.empty() : blocks.contains(block);
    };
    return !orders(heard_.releases) && !(kind == Kind::Read && orders(heard_.readings));
  }

  void order(const Access& access, const Site& site) {
    const bool releases = has_fenced_ || site.strength == Strength::Releasing;
    // Without a fence not atomic updates: there may be very many, and hardly any is a signal.
    const bool passes_on = releases || (has_met_ && access.intent == Intent::Store);
    for (uint32_t left = access.lanes; left != 0; left &= left - 1) {
      const uint64_t address = access.address[std::countr_zero(left)];
      if (access.intent != Intent::Store) {
        shadow_->acquire(address, heard_);
        just_read_.push_back(address);
      }
      if (access.intent != Intent::Load && passes_on)
        shadow_->pass_on(address, block_in(mine_), heard_, releases);
    }
  }

  void report(const Access& access, Kind now, const Found& found) const {
    static constexpr const char* kVerbs[] = {"read", "write", "atomic update"};
    const std::string other = kVerbs[static_cast<int>(found.kind)];
    const uint32_t block = block_in(found.earlier), site = site_in(found.earlier);
    const std::string by = block == kManyBlocks
                               ? "several blocks"
                               : "block (" + std::to_string(block % grid_[0]) + "," +
                                     std::to_string(block / grid_[0] % grid_[1]) + "," +
                                     std::to_string(block / grid_[0] / grid_[1]) + ")";
    const bool is_pair = (now == Kind::Read && found.kind == Kind::Update) ||
                         (now == Kind::Update && found.kind == Kind::Read);
    const uint32_t suspect = !is_pair ? Finding::kFirm : now == Kind::Read ? access.op->site : site;
    access.warp.block->find(
        {"race", access.warp, access.op, found.lane, suspect},
        std::string("race on global memory: this ") + kVerbs[static_cast<int>(now)] + " and the " +
            other + " of another block are not ordered",
        memory_.describe(access.address[found.lane]) + "; the " + other + " was by " + by +
            (site < sites_.size()
                 ? ", at " + source_place(*access.warp.block->context.kernel, sites_[site])
                 : "") +
            "\nblocks run in any order: give each its own part, use atomics, or a second launch");
  }

  std::shared_ptr<GlobalShadow> shadow_;
  const DeviceMemory& memory_;
  const std::vector<Site>& sites_;
  std::array<uint32_t, 3> grid_;
  bool concurrent_;  // blocks run on several CPU threads
  uint32_t shift_;
  std::vector<Range> read_here_;  // by this block, weakly: of each site
  GlobalMark mine_ = 0;
  Heard heard_;
  // By the last instruction, strongly. The access is yet to come when it is observed, and another
  // block may release just before it: so the next one asks again.
  std::vector<uint64_t> just_read_;
  bool has_fenced_ = false;
  bool has_met_ = false;  // at a barrier; a single warp is always together
};

}  // namespace

ObserverFactory watch_global_races() {
  return
      [shadow = std::make_shared<GlobalShadow>()](const Block& block) -> std::unique_ptr<Observer> {
        const auto& grid = block.context.launch->grid;
        if (uint64_t{grid[0]} * grid[1] * grid[2] == 1) return nullptr;
        return std::make_unique<GlobalRaces>(block, shadow);
      };
}

}  // namespace vgpu
