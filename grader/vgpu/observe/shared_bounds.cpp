// Accesses past the end of one `__shared__` array into the next. The arrays lie apart under
// observation (Kernel::shared_padding), and what lies between them belongs to none.
#include <bit>

#include "observe/checks.hpp"
#include "observe/shared_shadow.hpp"

namespace vgpu {
namespace {

class SharedBounds final : public Observer {
 public:
  explicit SharedBounds(const Block& block)
      : arrays_(block.context.kernel->shared_arrays),
        dynamic_begin_(block.context.shared_bytes - block.context.launch->dynamic_shared) {}

  bool watches(MemoryKind kind) const override { return kind == MemoryKind::Shared; }

  void access(const Access& access) override {
    if (inside(access.low, access.high - access.low + access.size)) return;
    for (uint32_t left = access.lanes; left != 0; left &= left - 1) {
      const int lane = std::countr_zero(left);
      const uint64_t at = access.address[lane];
      if (inside(at, access.size)) continue;
      return report(access, lane, at);
    }
  }

  bool broadcast(const Warp&, const Op*, uint32_t address, uint32_t bytes) override {
    return inside(address, bytes);
  }

 private:
  bool inside(uint64_t at, uint64_t size) {
    if (at >= begin_ && at + size <= end_) return true;  // as the last access
    if (at >= dynamic_begin_) return true;
    for (const SharedArray& array : arrays_) {
      if (at < array.offset || at + size > array.offset + array.size) continue;
      begin_ = array.offset;
      end_ = array.offset + array.size;
      return true;
    }
    return false;
  }

  void report(const Access& access, int lane, uint64_t at) const {
    std::string where = "the address is before every array";
    for (const SharedArray& array : arrays_) {
      if (at < array.offset) break;
      const uint64_t past = at + access.size - (array.offset + array.size);
      where = "the access ends " + std::to_string(past) + (past == 1 ? " byte" : " bytes") +
              " past the end of `" + array.name + "` (" + std::to_string(array.size) + " bytes)";
    }
    access.warp.block->find({"bounds", access.warp, access.op, lane},
                            "access outside of every array in shared memory",
                            where + ": on hardware it meets the array that happens to lie there");
  }

  const std::vector<SharedArray>& arrays_;
  uint64_t dynamic_begin_;
  uint64_t begin_ = 0, end_ = 0;  // an array
};

}  // namespace

std::unique_ptr<Observer> watch_shared_bounds(const Block& block) {
  if (block.context.kernel->shared_arrays.empty()) return nullptr;
  return std::make_unique<SharedBounds>(block);
}

std::string shared_place(const Block& block, uint64_t address) {
  for (const SharedArray& array : block.context.kernel->shared_arrays) {
    if (address >= array.offset && address < array.offset + array.size)
      return "byte " + std::to_string(address - array.offset) + " of `" + array.name + "`";
  }
  const Kernel& kernel = *block.context.kernel;
  const uint64_t begin = kernel.static_shared + kernel.shared_padding;
  if (address >= begin)
    return "byte " + std::to_string(address - begin) + " of the dynamic shared memory";
  return "byte " + std::to_string(address) + " of the block's shared memory";
}

}  // namespace vgpu
