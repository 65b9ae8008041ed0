#include "machine/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace vgpu {
namespace {

constexpr uint64_t kAlignment = 256;
// Between allocations, so that an overrun meets no neighbour.
constexpr uint64_t kRedZone = 4096;
// A freed range is not handed out again before this many others have been freed after it.
constexpr size_t kQuarantine = 64;
constexpr int kFreshByte = 0xCD;

uint64_t round_up(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

/// Address space that reads as zero; its pages take memory only when they are touched.
void* reserve(uint64_t bytes) {
  void* range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::bad_alloc();
  return range;
}

std::string bytes_text(uint64_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

std::string quoted(const Allocation& allocation) {
  return allocation.name.empty() ? "an allocation" : "`" + allocation.name + "`";
}

}  // namespace

DeviceMemory::DeviceMemory(size_t capacity) : capacity_(capacity) {
  // Room for red zones and quarantined ranges.
  size_ = std::max<uint64_t>(uint64_t{capacity} * 4, uint64_t{1} << 32);
  base_ = reinterpret_cast<uint64_t>(reserve(size_));
  next_ = base_ + kRedZone;
}

DeviceMemory::~DeviceMemory() {
  munmap(reinterpret_cast<void*>(base_), size_);
  if (written_ != nullptr) munmap(written_, size_);
}

void DeviceMemory::track_writes() {
  if (written_ == nullptr) written_ = static_cast<uint8_t*>(reserve(size_));
}

void DeviceMemory::note_written(const void* begin, size_t bytes) {
  if (written_ == nullptr || !is_device_address(begin)) return;
  std::memset(written_ + (reinterpret_cast<uint64_t>(begin) - base_), 1, bytes);
}

void DeviceMemory::forget_writes(const void* begin, size_t bytes) {
  if (written_ == nullptr || !is_device_address(begin)) return;
  std::memset(written_ + (reinterpret_cast<uint64_t>(begin) - base_), 0, bytes);
}

void DeviceMemory::note_copied(const void* to, const void* from, size_t bytes) {
  if (written_ == nullptr || !is_device_address(to)) return;
  if (!is_device_address(from)) return note_written(to, bytes);
  std::memmove(written_ + (reinterpret_cast<uint64_t>(to) - base_),
               written_ + (reinterpret_cast<uint64_t>(from) - base_), bytes);
}

void* DeviceMemory::allocate(size_t bytes, std::string name, MemoryUse use) {
  if (bytes == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  Usage& used = usage_[static_cast<size_t>(use)];
  if (use == MemoryUse::Device && (bytes > capacity_ || used.current > capacity_ - bytes))
    return nullptr;
  const uint64_t reserved = round_up(bytes, kAlignment) + kRedZone;
  uint64_t begin = 0;
  const auto reuse = free_ranges_.lower_bound(reserved);
  // A much larger range stays whole for a larger request.
  if (reuse != free_ranges_.end() && reuse->first <= reserved * 2) {
    begin = reuse->second;
    free_ranges_.erase(reuse);
  } else {
    if (bytes > size_ || next_ + reserved > base_ + size_) return nullptr;
    begin = next_;
    next_ += reserved;
  }
  Allocation allocation;
  allocation.begin = begin;
  allocation.end = begin + bytes;
  allocation.name = std::move(name);
  allocation.use = use;
  table_[begin] = std::move(allocation);
  snapshot_ = nullptr;
  used.current += bytes;
  used.peak = std::max(used.peak.load(), used.current.load());
  std::memset(reinterpret_cast<void*>(begin), kFreshByte, bytes);
  if (written_ != nullptr) std::memset(written_ + (begin - base_), 0, bytes);
  return reinterpret_cast<void*>(begin);
}

DeviceMemory::FreeResult DeviceMemory::free(void* pointer) {
  const std::lock_guard lock(mutex_);
  const auto found = table_.find(reinterpret_cast<uint64_t>(pointer));
  if (found == table_.end()) return FreeResult::NotAllocated;
  Allocation& allocation = found->second;
  if (allocation.freed) return FreeResult::AlreadyFreed;
  allocation.freed = true;
  usage_[static_cast<size_t>(allocation.use)].current -= allocation.end - allocation.begin;
  quarantine_.push_back(allocation.begin);
  if (quarantine_.size() > kQuarantine) {
    const auto oldest = table_.find(quarantine_.front());
    quarantine_.erase(quarantine_.begin());
    const uint64_t reserved =
        round_up(oldest->second.end - oldest->second.begin, kAlignment) + kRedZone;
    free_ranges_.emplace(reserved, oldest->first);
    // Give the pages back; the range reads as zero until it is filled again.
    const uint64_t first_page = round_up(oldest->first, 4096);
    const uint64_t last_page = oldest->second.end / 4096 * 4096;
    if (last_page > first_page)
      madvise(reinterpret_cast<void*>(first_page), last_page - first_page, MADV_DONTNEED);
    table_.erase(oldest);
  }
  snapshot_ = nullptr;
  return FreeResult::Ok;
}

void DeviceMemory::reset_peaks() {
  const std::lock_guard lock(mutex_);
  for (Usage& used : usage_) used.peak = used.current.load();
}

bool DeviceMemory::set_name(void* pointer, std::string name) {
  const std::lock_guard lock(mutex_);
  const auto found = table_.find(reinterpret_cast<uint64_t>(pointer));
  if (found == table_.end() || found->second.freed) return false;
  found->second.name = std::move(name);
  snapshot_ = nullptr;
  return true;
}

bool DeviceMemory::is_device_address(const void* address) const {
  const auto a = reinterpret_cast<uint64_t>(address);
  return a >= base_ && a < base_ + size_;
}

Allocation DeviceMemory::find(const void* pointer, size_t bytes) const {
  const auto address = reinterpret_cast<uint64_t>(pointer);
  const std::lock_guard lock(mutex_);
  auto above = table_.upper_bound(address);
  if (above == table_.begin()) return {};
  const Allocation& allocation = (--above)->second;
  if (allocation.freed || address >= allocation.end || bytes > allocation.end - address) return {};
  return allocation;
}

std::string DeviceMemory::describe(uint64_t address) const {
  const std::lock_guard lock(mutex_);
  if (address < base_ || address >= base_ + size_) {
    return address < 4096 ? "the address is null or nearly null: a pointer that was never set?"
                          : "the address is not device memory: a host pointer used in a kernel?";
  }
  const auto above = table_.upper_bound(address);
  const Allocation* before = above == table_.begin() ? nullptr : &std::prev(above)->second;
  const auto size = [](const Allocation& a) { return " (" + bytes_text(a.end - a.begin) + ")"; };
  if (before != nullptr && address < before->end) {
    const std::string where =
        bytes_text(address - before->begin) + " into " + quoted(*before) + size(*before);
    return before->freed ? "the address is " + where + ", which was freed before"
                         : "the address is " + where;
  }
  const uint64_t past = before == nullptr ? ~uint64_t{0} : address - before->end;
  if (above != table_.end() && above->second.begin - address < past) {
    return "the address is " + bytes_text(above->second.begin - address) + " before the start of " +
           quoted(above->second) + size(above->second);
  }
  if (before == nullptr) return "nothing is allocated near the address";
  return "the address is " + (past == 0 ? "just" : bytes_text(past)) + " past the end of " +
         quoted(*before) + size(*before);
}

std::shared_ptr<const AllocationTable> DeviceMemory::snapshot() const {
  const std::lock_guard lock(mutex_);
  if (snapshot_ == nullptr) {
    auto table = std::make_shared<AllocationTable>();
    table->reserve(table_.size());
    for (const auto& entry : table_) table->push_back(entry.second);
    snapshot_ = std::move(table);
  }
  return snapshot_;
}

}  // namespace vgpu
