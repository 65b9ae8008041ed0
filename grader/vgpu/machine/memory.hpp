// Device memory: one reserved address range, 256-byte aligned allocations with red zones between
// them. A device pointer is a host address inside the range, so a kernel's access needs a bounds
// check and no translation.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vgpu {

/// What an allocation is for. Each use is counted apart; capacity bounds the first alone.
enum class MemoryUse : uint8_t {
  Device,      ///< asked for by the program: cudaMalloc and its like, managed memory
  PinnedHost,  ///< host memory that kernels can reach
  Variable,    ///< __device__, __constant__ and __managed__ variables of a module
};
inline constexpr size_t kMemoryUses = 3;

/// Bytes that belong to the program: [begin, end).
struct Allocation {
  uint64_t begin = 0, end = 0;
  std::string name;    ///< given by the harness or the variable's name; may be empty
  bool freed = false;  ///< quarantined: still known, no longer accessible
  MemoryUse use = MemoryUse::Device;
};

/// A snapshot of every allocation, sorted by address; what a launch checks its accesses against.
using AllocationTable = std::vector<Allocation>;

class DeviceMemory {
 public:
  explicit DeviceMemory(size_t capacity);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// New memory filled with 0xCD bytes (never zero: zero would be an accidental right answer).
  /// Returns nullptr when `bytes` does not fit in what is left. Zero bytes give nullptr too.
  void* allocate(size_t bytes, std::string name = {}, MemoryUse use = MemoryUse::Device);

  enum class FreeResult { Ok, NotAllocated, AlreadyFreed };
  FreeResult free(void* pointer);

  /// Names the allocation that starts at `pointer`, for reports. False when there is none.
  bool set_name(void* pointer, std::string name);

  /// True when `address` lies in the reserved range, allocated or not.
  bool is_device_address(const void* address) const;

  /// The live allocation that holds all of [pointer, pointer+bytes), or an Allocation with begin ==
  /// end.
  Allocation find(const void* pointer, size_t bytes = 1) const;

  /// Sentence that says where an address lies: "4 bytes past the end of `O` (4096 bytes)".
  std::string describe(uint64_t address) const;

  /// From here on remembers which bytes of device memory have been written; needs as much address
  /// space again. For the check of uninitialised reads.
  void track_writes();
  /// The host, or an API call, writes [begin, begin + bytes). Nothing happens unless writes are
  /// tracked or the range is not device memory.
  void note_written(const void* begin, size_t bytes);
  /// The opposite: as if nothing had been written there since it was allocated.
  void forget_writes(const void* begin, size_t bytes);
  /// An API call copies between two ranges of device memory, or from the host.
  void note_copied(const void* to, const void* from, size_t bytes);
  /// For each byte of the reserved range 1 when it has been written and 0 otherwise; to be indexed
  /// with a device address minus base(). nullptr when writes are not tracked.
  uint8_t* written() const { return written_; }
  uint64_t base() const { return base_; }
  uint64_t reserved_bytes() const { return size_; }

  std::shared_ptr<const AllocationTable> snapshot() const;

  size_t capacity() const { return capacity_; }
  size_t current_bytes(MemoryUse use = MemoryUse::Device) const { return usage(use).current; }
  /// The most since the last reset_peaks().
  size_t peak_bytes(MemoryUse use = MemoryUse::Device) const { return usage(use).peak; }
  /// The peaks become what is allocated now.
  void reset_peaks();

 private:
  struct Usage {
    std::atomic<size_t> current{0}, peak{0};
  };
  const Usage& usage(MemoryUse use) const { return usage_[static_cast<size_t>(use)]; }

  mutable std::mutex mutex_;
  std::map<uint64_t, Allocation> table_;  // by begin
  mutable std::shared_ptr<const AllocationTable> snapshot_;
  size_t capacity_;
  uint64_t base_ = 0, size_ = 0, next_ = 0;
  uint8_t* written_ = nullptr;
  std::multimap<uint64_t, uint64_t> free_ranges_;  // size -> begin, of ranges out of quarantine
  std::vector<uint64_t> quarantine_;
  std::array<Usage, kMemoryUses> usage_;
};

}  // namespace vgpu
