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
  releases_.clear();
  any_release_ = false;
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

void GlobalShadow::release(uint64_t address, uint32_t block, const BlockSet& known) {
  const std::lock_guard lock(mutex_);
  BlockSet& seen = releases_[address];
  seen.insert(known.begin(), known.end());
  seen.insert(block);
  any_release_ = true;
}

void GlobalShadow::acquire(uint64_t address, BlockSet& known) {
  if (!any_release_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  const auto found = releases_.find(address);
  if (found != releases_.end()) known.insert(found->second.begin(), found->second.end());
}

}  // namespace vgpu
