// Shared memory that a cp.async is still filling: nobody may touch it before the thread that issued
// the copy has waited for it.
#include <algorithm>
#include <vector>

#include "observe/checks.hpp"
#include "observe/shared_shadow.hpp"

namespace vgpu {
namespace {

class PendingCopies final : public Observer {
 public:
  explicit PendingCopies(const Block& block)
      : grid_(block), copies_(grid_.count()), issued_at_(grid_.count()) {}

  bool watches(MemoryKind kind) const override { return kind == MemoryKind::Shared; }

  void begin(const Block&) override { std::fill(copies_.begin(), copies_.end(), uint8_t{0}); }

  void access(const Access& access) override {
    const Kernel& kernel = *access.warp.block->context.kernel;
    const bool is_copy = kernel.sites[access.op->site].kind == InstructionClass::Async;
    grid_.for_each(access, [&](const Cells& cells) {
      const auto first = copies_.begin() + cells.first, end = first + cells.count;
      const auto pending = std::find_if(first, end, [](uint8_t n) { return n != 0; });
      if (pending != end) {
        report(access, cells, static_cast<uint32_t>(pending - first));
        return false;
      }
      if (is_copy) {
        std::fill(first, end, uint8_t{1});
        std::fill_n(issued_at_.begin() + cells.first, cells.count, access.op->site);
      }
      return true;
    });
  }

  void copy_landed(const Access& access) override {
    grid_.for_each(access, [&](const Cells& cells) {
      std::fill_n(copies_.begin() + cells.first, cells.count, uint8_t{0});
      return true;
    });
  }

  bool broadcast(const Warp&, const Op*, uint32_t address, uint32_t bytes) override {
    const auto first = copies_.begin() + grid_.cell(address);
    return std::all_of(first, first + bytes / grid_.bytes(), [](uint8_t n) { return n == 0; });
  }

 private:
  void report(const Access& access, const Cells& cells, uint32_t k) const {
    const Block& block = *access.warp.block;
    const Site& copy = block.context.kernel->sites[issued_at_[cells.first + k]];
    access.warp.block->find({"async", access.warp, access.op, some_lane(cells, k, access)},
                            "use of shared memory that a cp.async is still filling",
                            "the copy to " + shared_place(block, grid_.address(cells.first + k)) +
                                " was issued at " + source_place(*block.context.kernel, copy) +
                                " and nobody has waited for it: cp.async.wait_group must leave "
                                "fewer groups open, and a barrier must follow it");
  }

  CellGrid grid_;
  std::vector<uint8_t> copies_;      // of each cell: 1 while a copy is under way
  std::vector<uint32_t> issued_at_;  // site of that copy
};

}  // namespace

std::unique_ptr<Observer> watch_pending_copies(const Block& block) {
  const auto& sites = block.context.kernel->sites;
  const bool copies = std::any_of(sites.begin(), sites.end(), [](const Site& site) {
    return site.kind == InstructionClass::Async;
  });
  if (!copies) return nullptr;
  return std::make_unique<PendingCopies>(block);
}

}  // namespace vgpu
