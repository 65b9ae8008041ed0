// Reads of device memory that neither a copy, a memset, the host nor a kernel has written since it
// was allocated.
#include <algorithm>
#include <cstring>

#include "machine/block.hpp"
#include "observe/cell_loop.hpp"
#include "observe/checks.hpp"
#include "observe/unwritten.hpp"

namespace vgpu {
namespace {

class UninitialisedGlobal final : public Observer {
 public:
  explicit UninitialisedGlobal(const DeviceMemory& memory)
      : memory_(memory), base_(memory.base()), written_(memory.written()) {}

  bool watches(MemoryKind kind) const override { return kind == MemoryKind::Global; }

  void access(const Access& access) override {
    if (access.intent == Intent::Load && access.size == 4 &&
        all_written(written_, base_, access.address))
      return;
    switch (access.size) {
      case 4:
        return follow<uint32_t>(access);
      case 2:
        return follow<uint16_t>(access);
      case 1:
        return follow<uint8_t>(access);
      default:
        return follow<uint64_t>(access);
    }
  }

 private:
  // 4 bytes of each lane.
  VGPU_CELL_LOOP static bool all_written(const uint8_t* written, uint64_t base,
                                         const uint64_t* address) {
    const auto* words = reinterpret_cast<const uint32_t*>(written);
    uint32_t all = kWritten;
    for (int lane = 0; lane < kWarpSize; ++lane) all &= words[(address[lane] - base) / 4];
    return all == kWritten;
  }
  static constexpr uint32_t kWritten = 0x01010101;

  // `Word` covers the shadow of an access, or of eight bytes of it.
  template <class Word>
  void follow(const Access& access) {
    constexpr auto kAll = static_cast<Word>(0x0101010101010101u);
    for (uint32_t left = access.lanes; left != 0; left &= left - 1) {
      const int lane = __builtin_ctz(left);
      uint8_t* const shadow = written_ + (access.address[lane] - base_);
      for (uint32_t k = 0; k < access.size; k += sizeof(Word)) {
        Word word;
        std::memcpy(&word, shadow + k, sizeof word);
        if (word == kAll) continue;
        if (access.intent != Intent::Store && is_mistake(access, lane)) {
          report(access, lane);
          if (access.intent == Intent::Load) return;
        }
        if (access.intent == Intent::Load) break;
        std::memcpy(shadow + k, &kAll, sizeof kAll);
      }
    }
  }

  bool is_mistake(const Access& access, int lane) const {
    const uint8_t* const shadow = written_ + (access.address[lane] - base_);
    uint32_t unwritten = 0;
    for (uint32_t k = 0; k < access.size; ++k) unwritten |= (shadow[k] == 0 ? 1u : 0u) << k;
    const uint8_t* const before = shadow - std::min<ptrdiff_t>(kMemberBytes, shadow - written_);
    const bool member_before = std::find(before, shadow, 1) != shadow;
    const Site& site = access.warp.block->context.kernel->sites[access.op->site];
    return uses_unwritten(site, access.size, unwritten, member_before);
  }

  void report(const Access& access, int lane) const {
    access.warp.block->find(
        {"uninitialised", access.warp, access.op, lane}, "uninitialised read of global memory",
        memory_.describe(access.address[lane]) +
            "; nothing has written there since it was allocated: is a copy to the device missing, "
            "or did an earlier kernel leave a part out?");
  }

  const DeviceMemory& memory_;
  uint64_t base_;  // the device address to which written_[0] belongs
  uint8_t* written_;
};

}  // namespace

std::unique_ptr<Observer> watch_uninitialised_global(const Block& block) {
  return std::make_unique<UninitialisedGlobal>(*block.context.memory);
}

}  // namespace vgpu
