// Reads of shared memory that nothing in the block has written: on hardware they give what an
// earlier block left there.
#include <algorithm>
#include <vector>

#include "observe/checks.hpp"
#include "observe/shared_shadow.hpp"
#include "observe/unwritten.hpp"

namespace vgpu {
namespace {

class UninitialisedShared final : public Observer {
 public:
  explicit UninitialisedShared(const Block& block) : grid_(block), written_(grid_.count()) {}

  bool watches(MemoryKind kind) const override { return kind == MemoryKind::Shared; }

  void begin(const Block&) override { std::fill(written_.begin(), written_.end(), uint8_t{0}); }

  void access(const Access& access) override {
    if (access.intent == Intent::Store && access.size <= grid_.bytes()) {
      for (int lane = 0; lane < kWarpSize; ++lane) written_[grid_.cell(access.address[lane])] = 1;
      return;
    }
    grid_.for_each(access, [&](const Cells& cells) {
      uint8_t* const written = written_.data() + cells.first;
      if (access.intent != Intent::Store) {
        uint32_t k = 0;
        while (k < cells.count && (written[k] != 0 || !is_mistake(access, cells, k))) ++k;
        if (k < cells.count) report(access, cells, k);
        if (access.intent == Intent::Load) return k == cells.count;
      }
      if (cells.count == 1)
        written[0] = 1;
      else
        std::fill(written, written + cells.count, uint8_t{1});
      return true;
    });
  }

  bool broadcast(const Warp&, const Op*, uint32_t address, uint32_t bytes) override {
    const uint8_t* first = written_.data() + grid_.cell(address);
    return all_written(first, bytes / grid_.bytes());
  }

 private:
  // `k`: one of the cells, not written.
  bool is_mistake(const Access& access, const Cells& cells, uint32_t k) const {
    const uint32_t each = cells.each == 0 ? cells.count : cells.each, bytes = grid_.bytes();
    const auto first = written_.begin() + cells.first + k / each * each;
    uint32_t unwritten = 0;
    for (uint32_t c = 0; c < each; ++c) {
      if (first[c] == 0) unwritten |= ((1u << bytes) - 1) << c * bytes;
    }
    const auto before = first - std::min<ptrdiff_t>(kMemberBytes / bytes, first - written_.begin());
    const Site& site = access.warp.block->context.kernel->sites[access.op->site];
    return uses_unwritten(site, access.size, unwritten, std::find(before, first, 1) != first);
  }

  void report(const Access& access, const Cells& cells, uint32_t k) const {
    Block& block = *access.warp.block;
    block.find({"uninitialised", access.warp, access.op, some_lane(cells, k, access)},
               "uninitialised read of shared memory",
               "nothing in this block has written " +
                   shared_place(block, grid_.address(cells.first + k)) +
                   ": is a part of the tile never filled, or read before it is?");
  }

  VGPU_CELL_LOOP static bool all_written(const uint8_t* written, uint32_t count) {
    uint8_t all = 1;
    for (uint32_t k = 0; k < count; ++k) all &= written[k];
    return all != 0;
  }

  CellGrid grid_;
  std::vector<uint8_t> written_;  // of each cell, 0 or 1
};

}  // namespace

std::unique_ptr<Observer> watch_uninitialised_shared(const Block& block) {
  if (block.context.shared_bytes == 0) return nullptr;
  return std::make_unique<UninitialisedShared>(block);
}

}  // namespace vgpu
