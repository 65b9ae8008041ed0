// Reads of shared memory that nothing in the block has written: on hardware they give what an
// earlier block left there.
#include "observe/checks.hpp"
#include "observe/shared_shadow.hpp"

namespace vgpu {
namespace {

class UninitialisedShared final : public Observer {
 public:
  explicit UninitialisedShared(const Block& block) : written_(block.shared.size()) {}

  void begin(const Block&) override { written_.assign(written_.size(), false); }

  void access(const Access& access) override {
    if (access.intent != Intent::Store) {
      for_each_shared_byte(access, [&](int lane, uint64_t byte) {
        if (written_[byte]) return true;
        access.warp.block->find("uninitialised", access.warp, access.op, lane,
                                "uninitialised read of shared memory",
                                "nothing in this block has written " + shared_place(byte) +
                                    ": is a part of the tile never filled, or read before it is?");
        return false;
      });
    }
    if (access.intent == Intent::Load) return;
    for_each_shared_byte(access, [&](int, uint64_t byte) { return written_[byte] = true; });
  }

  void arrives(const Warp&, uint32_t) override {}
  void released(const Warp&, uint32_t) override {}
  void completed(uint32_t) override {}
  void warp_synchronised(const Warp&) override {}

 private:
  std::vector<bool> written_;
};

}  // namespace

std::unique_ptr<Observer> watch_uninitialised_shared(const Block& block) {
  return std::make_unique<UninitialisedShared>(block);
}

}  // namespace vgpu
