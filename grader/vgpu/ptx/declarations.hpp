// Declarations of memory: variables, parameters, initial values; and of registers.
#pragma once

#include <string_view>
#include <vector>

#include "ptx/cursor.hpp"
#include "ptx/module.hpp"
#include "ptx/scopes.hpp"

namespace vgpu::ptx {

/// ".shared" -> Space::Shared; Space::None for a word that is no state space.
Space space_from_name(std::string_view name);

/// A variable with its name as a part of the text, which the tables of names need.
struct Declaration {
  std::string_view name;
  Variable variable;
};

/// Parses what follows the state space up to and including the `;`: `.align 4 .b8 a[16] = {1, 2},
/// b;`. `initial_budget`: how many more bytes of initial values the module may have, or nullptr
/// where none are allowed.
std::vector<Declaration> parse_variables(Cursor& cursor, Space space, size_t* initial_budget);

/// Parses `( .param .align 8 .b8 a[32], .reg .b32 b, ... )`, whose `(` comes next (PTX ISA 9.0,
/// section 7.1).
std::vector<Declaration> parse_parameters(Cursor& cursor);

/// Parses what follows `.reg` up to and including the `;`: `.b32 %r<37>, a, b;`.
void parse_registers(Cursor& cursor, Scopes& scopes);

/// Parses the initial value of `variable`, which follows the `=`. Its size is taken off the budget:
/// a few bytes of hostile text could ask for terabytes of zeros.
void parse_initial_value(Cursor& cursor, Variable& variable, size_t* budget);

}  // namespace vgpu::ptx
