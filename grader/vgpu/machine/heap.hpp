// The heap from which kernels allocate: malloc, free, new and delete in device code. A range of
// device memory of fixed size, made when the first kernel that needs it is launched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "machine/memory.hpp"

namespace vgpu {

class DeviceHeap {
 public:
  /// Reserves `bytes` of `memory` unless that has been done.
  void reserve(DeviceMemory& memory, size_t bytes);

  /// Its memory has been freed: the next reserve() makes a new heap.
  void forget();

  /// 16-byte aligned memory, or 0 when there is no room.
  uint64_t allocate(size_t bytes);
  /// False when allocate() has not given `address`, or it was freed before.
  bool free(uint64_t address);

 private:
  std::mutex mutex_;
  uint64_t begin_ = 0;
  std::map<uint64_t, size_t> free_, used_;  // by address: bytes; neighbours in free_ are merged
};

}  // namespace vgpu
