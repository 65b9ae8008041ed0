// Reads of shared memory that nothing in the block has written: on hardware they give what an
// earlier block left there.
#include <algorithm>
#include <vector>

#include "observe/checks.hpp"
#include "observe/padding.hpp"
#include "observe/shared_shadow.hpp"

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
      uint32_t k = 0;
      if (access.intent != Intent::Store) {
        while (k < cells.count && written[k] != 0) ++k;
        if (k < cells.count) report(access, cells, k);
      }
      if (access.intent == Intent::Load) return k == cells.count;
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
  void report(const Access& access, const Cells& cells, uint32_t k) const {
    Block& block = *access.warp.block;
    const uint8_t* written = written_.data() + cells.first;
    const bool some = std::find(written, written + cells.count, 1) != written + cells.count;
    if (some && may_copy_padding(block.context.kernel->sites[access.op->site])) return;
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
