#include "machine/heap.hpp"

#include <algorithm>
#include <iterator>

namespace vgpu {

void DeviceHeap::reserve(DeviceMemory& memory, size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (begin_ != 0) return;
  begin_ =
      reinterpret_cast<uint64_t>(memory.allocate(bytes, "the device heap", MemoryUse::Variable));
  if (begin_ != 0) free_[begin_] = bytes;
}

void DeviceHeap::forget() {
  const std::lock_guard lock(mutex_);
  begin_ = 0;
  free_.clear();
  used_.clear();
}

uint64_t DeviceHeap::allocate(size_t bytes) {
  constexpr size_t kUnit = 16;
  const std::lock_guard lock(mutex_);
  if (bytes > SIZE_MAX - kUnit) return 0;
  const size_t size = (std::max<size_t>(bytes, 1) + kUnit - 1) / kUnit * kUnit;
  const auto fits = std::find_if(free_.begin(), free_.end(),
                                 [&](const auto& range) { return range.second >= size; });
  if (fits == free_.end()) return 0;
  const auto [address, room] = *fits;
  free_.erase(fits);
  if (room > size) free_[address + size] = room - size;
  used_[address] = size;
  return address;
}

bool DeviceHeap::free(uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(address);
  if (found == used_.end()) return false;
  auto here = free_.emplace(*found).first;
  used_.erase(found);
  if (const auto after = std::next(here);
      after != free_.end() && here->first + here->second == after->first) {
    here->second += after->second;
    free_.erase(after);
  }
  if (here == free_.begin()) return true;
  if (const auto before = std::prev(here); before->first + before->second == here->first) {
    before->second += here->second;
    free_.erase(here);
  }
  return true;
}

}  // namespace vgpu
