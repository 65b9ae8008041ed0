// Which bytes of its registers a function looks at. A value may be loaded whole for the sake of a
// part of it: a struct with its padding, a vector of which one element is wanted.
#pragma once

#include <cstdint>
#include <vector>

#include "ptx/module.hpp"

namespace vgpu {

/// Bytes of a register, one bit each, lowest byte first.
struct UsedBytes {
  uint32_t computed = 0;  ///< something other than a store depends on them
  uint32_t stored = 0;    ///< written to memory as they are
};

/// Of each register of the function. Moves, truncations, shifts and masks by constants, selections
/// and shuffles use of their operands what is used of their result; every other instruction uses
/// all. Registers are not told apart by time: each use counts for each definition.
std::vector<UsedBytes> used_bytes(const ptx::Function& function);

/// Of the bytes that a load of `type` into `data`, a register or a vector of them, reads in memory.
/// Only of unsigned integers the stores are told apart: as those nvcc copies structs.
UsedBytes used_of_load(const ptx::Operand& data, ptx::Type type,
                       const std::vector<UsedBytes>& registers);

}  // namespace vgpu
