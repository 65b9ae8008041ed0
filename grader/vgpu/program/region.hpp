// Finds runs of instructions that the host's compiler can turn into machine code (VGPU_COMPILE).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "program/fuse.hpp"
#include "ptx/module.hpp"

namespace vgpu {

/// Arithmetic lane by lane, and loads from shared memory whose 32 lanes read one word, or words
/// side by side.
struct Region {
  struct Base {
    const ptx::Operand* address = nullptr;
    int64_t low = 0, high = 0;  ///< the bytes that are loaded lie from low to high behind it
    uint32_t alignment = 4;     ///< bytes
    bool varies = false;        ///< the lanes may have words side by side
  };
  struct Load {
    size_t instruction = 0;  ///< in the function's body
    size_t base = 0;         ///< in `bases`
    uint32_t elements = 1;
  };
  size_t first = 0, length = 0;  ///< instructions; length 0: no region here
  std::vector<Base> bases;
  std::vector<Load> loads;
};

/// Registers that may differ between the lanes of a warp, as far as their computation shows.
std::vector<bool> varying_registers(const ptx::Function& function);

/// The longest region that starts at instruction `first` and ends before `last`.
Region find_region(const ptx::Function& function, size_t first, size_t last,
                   const std::vector<bool>& varying);

}  // namespace vgpu
