// The words of PTX that this decoder was written against.
#pragma once

#include "ptx/module.hpp"

namespace vgpu {

/// Throws ProgramError, with the line of the PTX, for an instruction or a special register that PTX
/// ISA 9.0 does not have: the text is damaged. An instruction that it has and the virtual GPU does
/// not know stops when it is reached. PTX of a later version may hold any name.
void require_known_names(const ptx::Module& module);

}  // namespace vgpu
