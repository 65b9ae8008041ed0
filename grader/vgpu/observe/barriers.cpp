// Warps of one block that meet at different __syncthreads(): every thread has to reach the same
// one. (A barrier that only a part of a warp reaches, or that can never be complete, stops the
// launch: machine/warp.cpp, machine/block.cpp.)
#include "machine/block.hpp"
#include "observe/checks.hpp"

namespace vgpu {
namespace {

class Barriers final : public Observer {
 public:
  void begin(const Block&) override { first_ = nullptr; }

  void arrives(const Warp& warp, const Op* op, uint32_t id) override {
    if (id != 0 || op->b != kNoCount) return;  // a named barrier, used on purpose
    const auto& sites = warp.block->context.kernel->sites;
    if (first_ == nullptr) {
      first_ = op;
      warp_ = warp.index;
      return;
    }
    const Site &here = sites[op->site], &there = sites[first_->site];
    if (here.line == there.line && here.file == there.file) return;
    int lane = 0;
    while ((warp.active >> lane & 1) == 0) ++lane;
    warp.block->find({"barrier", warp, op, lane}, "threads of one block wait at different barriers",
                     "warp " + std::to_string(warp_) + " waits at " +
                         source_place(*warp.block->context.kernel, there) +
                         ": every thread of the block must reach the same __syncthreads(), so it "
                         "must not stand under a condition that differs between threads");
  }

  void completed(uint32_t id) override {
    if (id == 0) first_ = nullptr;
  }

 private:
  static constexpr uint32_t kNoCount = 0xFFFFFFFFu;  // Op::b of a barrier for all threads

  const Op* first_ = nullptr;  // where the first warp waits
  int warp_ = 0;
};

}  // namespace

std::unique_ptr<Observer> watch_barriers(const Block&) {
  return std::make_unique<Barriers>();
}

}  // namespace vgpu
