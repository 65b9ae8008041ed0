#include "observe/global_shadow.hpp"

#include <sys/mman.h>

#include <new>

namespace vgpu {
namespace {

constexpr size_t kMaps = 3;

template <class T>
T* reserve(size_t count) {
  void* range = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::bad_alloc();
  return static_cast<T*>(range);
}

}  // namespace

GlobalShadow::~GlobalShadow() {
  if (map_ != nullptr) munmap(map_, kMaps * cells_ * sizeof(Cell));
  if (pages_ != nullptr) munmap(pages_, page_count() * sizeof *pages_);
}

void GlobalShadow::prepare(const LaunchContext& context) {
  const std::lock_guard lock(mutex_);
  if (launch_ == context.grid_id) return;
  // The number of a launch comes back after 65535 others: by then nothing may be left of it.
  const bool wraps = launch_ / 0xFFFF != context.grid_id / 0xFFFF;
  launch_ = context.grid_id;
  passed_on_.clear();
  any_passed_on_ = false;
  has_updates = false;
  if (map_ != nullptr) {
    if (!wraps) return;
    madvise(map_, kMaps * cells_ * sizeof(Cell), MADV_DONTNEED);
    madvise(pages_, page_count() * sizeof *pages_, MADV_DONTNEED);
    return;
  }
  cells_ = context.memory->reserved_bytes();  // enough for cells of one byte
  pages_ = reserve<std::atomic<uint16_t>>(page_count());
  map_ = reserve<Cell>(kMaps * cells_);
}

void GlobalShadow::pass_on(uint64_t address, uint32_t block, const Heard& heard, bool releases) {
  const std::lock_guard lock(mutex_);
  Heard& there = passed_on_[address];
  BlockSet& ordered = releases ? there.releases : there.readings;
  ordered.insert(heard.releases.begin(), heard.releases.end());
  ordered.insert(block);
  there.readings.insert(heard.readings.begin(), heard.readings.end());
  any_passed_on_ = true;
}

void GlobalShadow::acquire(uint64_t address, Heard& heard) {
  if (!any_passed_on_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  const auto found = passed_on_.find(address);
  if (found == passed_on_.end()) return;
  const Heard& there = found->second;
  heard.releases.insert(there.releases.begin(), there.releases.end());
  heard.readings.insert(there.readings.begin(), there.readings.end());
}

}  // namespace vgpu
