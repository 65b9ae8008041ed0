#include "cudart/pointer_kinds.hpp"

#include <cstdio>

#include "cudart/runtime.hpp"

namespace vgpu::cudart {

void PointerKinds::add(const void* begin, size_t bytes, MemoryKind kind, unsigned flags) {
  auto address = reinterpret_cast<uint64_t>(begin);
  blocks_[address] = {address, bytes, kind, flags};
}

void PointerKinds::remove(const void* begin) {
  blocks_.erase(reinterpret_cast<uint64_t>(begin));
}

PointerKinds::Block PointerKinds::find(const void* pointer) const {
  auto address = reinterpret_cast<uint64_t>(pointer);
  auto next = blocks_.upper_bound(address);
  if (next == blocks_.begin()) return {};
  const Block& block = std::prev(next)->second;
  return address - block.begin < block.bytes ? block : Block{};
}

MemoryKind PointerKinds::kind_of(const DeviceMemory& memory, const void* pointer) const {
  Block block = find(pointer);
  if (block.bytes != 0) return block.kind;
  return memory.is_device_address(pointer) ? MemoryKind::Device : MemoryKind::Host;
}

void require_range(const DeviceMemory& memory, const void* pointer, size_t bytes,
                   const std::string& role) {
  if (pointer == nullptr) fail(cudaErrorInvalidValue, role + " is a null pointer");
  if (!memory.is_device_address(pointer)) return;
  Allocation whole = memory.find(pointer, 1);
  auto address = reinterpret_cast<uint64_t>(pointer);
  if (whole.begin == whole.end) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
    fail(cudaErrorInvalidValue,
         role + " " + text + " is not allocated: " + memory.describe(address));
  }
  if (bytes > whole.end - address)
    fail(cudaErrorInvalidValue, role + " has " + std::to_string(whole.end - address) +
                                    " bytes left, the call needs " + std::to_string(bytes) +
                                    ": it starts " + memory.describe(address));
}

}  // namespace vgpu::cudart
