// Several PTX modules -> one, for programs of objects that nvcc compiled with -rdc=true.
#pragma once

#include <vector>

#include "ptx/module.hpp"

namespace vgpu {

/// Joins the modules of one program (at least one) as a device linker does: what one declares
/// `.extern` is what another defines, of `.weak` definitions one is kept, and names that only their
/// own module knows stay apart. Functions that nobody defines stay declarations: the built-in ones
/// (vprintf, malloc, ...) have no other form. Throws ProgramError when two modules define one name,
/// and for `.extern` variables that none defines.
ptx::Module link(std::vector<ptx::Module> modules);

}  // namespace vgpu
