// What kind of memory a pointer belongs to, and whether a range of it may be touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "machine/memory.hpp"

namespace vgpu::cudart {

enum class MemoryKind : uint8_t {
  Host,        ///< ordinary host memory: unknown to the runtime
  Registered,  ///< host memory given to cudaHostRegister
  Pinned,      ///< cudaMallocHost, cudaHostAlloc: visible to kernels
  Managed,     ///< cudaMallocManaged and __managed__ variables
  Device,
};

/// Pinned and managed blocks live in the device's address range too (a kernel may use them at the
/// same address); this table tells them apart, and knows the registered ranges.
class PointerKinds {
 public:
  void add(const void* begin, size_t bytes, MemoryKind kind, unsigned flags);
  void remove(const void* begin);
  void clear() { blocks_.clear(); }

  struct Block {
    uint64_t begin = 0;
    size_t bytes = 0;
    MemoryKind kind = MemoryKind::Host;
    unsigned flags = 0;  ///< as given to cudaHostAlloc or cudaHostRegister
  };
  /// The block that holds `pointer`; bytes == 0 when none does.
  Block find(const void* pointer) const;

  /// Host for everything outside the device's range that is not registered; Device for the rest of
  /// that range.
  MemoryKind kind_of(const DeviceMemory& memory, const void* pointer) const;

 private:
  std::map<uint64_t, Block> blocks_;  // by begin
};

/// Fails with cudaErrorInvalidValue, saying where `pointer` lies, when [pointer, pointer + bytes)
/// is null or leaves its allocation. Host memory cannot be checked. `role` is what the caller calls
/// it: "the source".
void require_range(const DeviceMemory& memory, const void* pointer, size_t bytes,
                   const std::string& role);

}  // namespace vgpu::cudart
