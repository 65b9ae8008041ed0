// Regions as C++: what the host's compiler gets to see.
#pragma once

#include <string>

#include "program/fuse.hpp"
#include "program/region.hpp"
#include "program/registers.hpp"
#include "ptx/module.hpp"

namespace vgpu {

/// True for an instruction without guard that is arithmetic of a kind that can be written.
bool can_write(const ptx::Function& function, const ptx::Instruction& instruction);

/// A single register of 32 bits.
bool is_word(const ptx::Function& function, const ptx::Operand& operand);

/// The function NAME(registers, shared, rows) that does what the region does, machine/kernel.hpp:
/// CompiledCode. Registers lie where `slots` says. `vector_bytes`: of the processor, 64 or 32.
std::string write_region(const std::string& name, const ptx::Function& function,
                         const Region& region, const RegisterTraffic& traffic,
                         const RegisterSlots& slots, uint32_t vector_bytes);

/// What stands in front of all functions.
std::string region_prelude(uint32_t vector_bytes);

}  // namespace vgpu
