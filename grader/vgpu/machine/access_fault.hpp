// The report of an access that is not allowed. Apart from access.hpp because it is compiled once,
// not for each instruction set.
#pragma once

#include <cstdint>

#include "machine/warp.hpp"

namespace vgpu {

enum class Intent : uint8_t { Load, Store, Atomic };
enum class MemoryKind : uint8_t { Global, Shared, Local };

struct BadAccess {
  MemoryKind kind;
  Intent intent;
  uint64_t address;  ///< in shared and local memory an offset
  uint32_t size;     ///< bytes
};

/// Stops the launch: `lane` of the warp accesses memory that is not there, or a misaligned address.
[[noreturn]] void bad_access(const Warp& warp, const Op* op, int lane, const BadAccess& access);

}  // namespace vgpu
