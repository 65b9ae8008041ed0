// The control-flow graph of a function: basic blocks, loop heads, and where diverged lanes meet
// again.
#pragma once

#include <cstddef>
#include <vector>

#include "ptx/module.hpp"

namespace vgpu {

inline constexpr int kNoBlock = -1;

struct FlowBlock {
  size_t first = 0, last = 0;   ///< instructions [first, last) of the function's body
  std::vector<int> successors;  ///< the fall-through first
  int meets_at =
      kNoBlock;  ///< immediate post-dominator; kNoBlock: paths do not meet before they end
  bool is_meeting = false;    ///< some divergent branch's paths meet here
  bool is_loop_head = false;  ///< target of a backward edge
  bool is_in_loop = false;    ///< lies between the ends of a backward edge
};

struct FlowGraph {
  std::vector<FlowBlock> blocks;  ///< in program order
  /// The block that starts at instruction `index`.
  int block_at(size_t index) const;
};

/// True for an instruction that ends a basic block.
bool ends_block(const ptx::Instruction& instruction);

/// Throws ProgramError naming the label when a branch target does not exist.
FlowGraph build_flow(const ptx::Function& function);

}  // namespace vgpu
