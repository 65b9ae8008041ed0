#include "program/flow.hpp"

#include <algorithm>

#include "program/error.hpp"

namespace vgpu {
namespace {

size_t label_position(const ptx::Function& function, const std::string& label) {
  const auto found = function.labels.find(label);
  if (found == function.labels.end()) {
    throw ProgramError("function `" + function.name + "` branches to the unknown label `" + label +
                       "`");
  }
  return found->second;
}

bool leaves(const ptx::Instruction& i) {
  return i.opcode == "ret" || i.opcode == "exit";
}

std::vector<std::string> targets(const ptx::Function& function, const ptx::Instruction& i) {
  const size_t operands = i.opcode == "bra" ? 1 : 2;
  if (i.operands.size() < operands)
    throw ProgramError("function `" + function.name + "` has a branch without a target");
  if (i.opcode == "bra") return {i.operands[0].name};
  const auto table = function.branch_targets.find(i.operands[1].name);
  if (table == function.branch_targets.end()) {
    throw ProgramError("function `" + function.name + "` has no branch table `" +
                       i.operands[1].name + "`");
  }
  return table->second;
}

// Immediate post-dominators by the iterative algorithm of Cooper, Harvey and Kennedy ("A Simple,
// Fast Dominance Algorithm", 2001) on the reversed graph. The number `exit` stands for the end of
// the function.
class PostDominators {
 public:
  explicit PostDominators(std::vector<FlowBlock>& blocks)
      : blocks_(blocks), exit_(static_cast<int>(blocks.size())) {
    predecessors_.resize(blocks.size() + 1);
    for (int b = 0; b < exit_; ++b) {
      for (const int s : successors(b)) predecessors_[static_cast<size_t>(s)].push_back(b);
    }
    order_from_exit();
  }

  /// Fills FlowBlock::meets_at.
  void assign() {
    solve();
    for (int b = 0; b < exit_; ++b) {
      const int d = dominator_[static_cast<size_t>(b)];
      blocks_[static_cast<size_t>(b)].meets_at = d == exit_ ? kNoBlock : d;
    }
  }

 private:
  std::vector<int> successors(int block) const {
    const auto& list = blocks_[static_cast<size_t>(block)].successors;
    return list.empty() ? std::vector<int>{exit_} : list;
  }

  void order_from_exit() {
    position_.assign(blocks_.size() + 1, -1);
    std::vector<std::pair<int, size_t>> stack{{exit_, 0}};
    std::vector<bool> seen(blocks_.size() + 1);
    seen[static_cast<size_t>(exit_)] = true;
    while (!stack.empty()) {
      auto& [block, next] = stack.back();
      const auto& list = predecessors_[static_cast<size_t>(block)];
      if (next == list.size()) {
        position_[static_cast<size_t>(block)] = static_cast<int>(postorder_.size());
        postorder_.push_back(block);
        stack.pop_back();
        continue;
      }
      const int predecessor = list[next++];
      if (seen[static_cast<size_t>(predecessor)]) continue;
      seen[static_cast<size_t>(predecessor)] = true;
      stack.emplace_back(predecessor, 0);
    }
  }

  int common(int a, int b) const {
    while (a != b) {
      while (position_[static_cast<size_t>(a)] < position_[static_cast<size_t>(b)])
        a = dominator_[static_cast<size_t>(a)];
      while (position_[static_cast<size_t>(b)] < position_[static_cast<size_t>(a)])
        b = dominator_[static_cast<size_t>(b)];
    }
    return a;
  }

  void solve() {
    dominator_.assign(blocks_.size() + 1, kNoBlock);
    dominator_[static_cast<size_t>(exit_)] = exit_;
    for (bool changed = true; changed;) {
      changed = false;
      for (auto it = postorder_.rbegin(); it != postorder_.rend(); ++it) {
        if (*it == exit_) continue;
        int best = kNoBlock;
        for (const int s : successors(*it)) {
          if (dominator_[static_cast<size_t>(s)] == kNoBlock) continue;
          best = best == kNoBlock ? s : common(best, s);
        }
        if (dominator_[static_cast<size_t>(*it)] == best) continue;
        dominator_[static_cast<size_t>(*it)] = best;
        changed = true;
      }
    }
  }

  std::vector<FlowBlock>& blocks_;
  int exit_;
  std::vector<std::vector<int>> predecessors_;
  std::vector<int> postorder_, position_, dominator_;
};

}  // namespace

bool ends_block(const ptx::Instruction& i) {
  return i.opcode == "bra" || i.opcode == "brx" || leaves(i);
}

int FlowGraph::block_at(size_t index) const {
  const auto found =
      std::lower_bound(blocks.begin(), blocks.end(), index,
                       [](const FlowBlock& block, size_t i) { return block.first < i; });
  return found == blocks.end() || found->first != index ? kNoBlock
                                                        : static_cast<int>(found - blocks.begin());
}

FlowGraph build_flow(const ptx::Function& function) {
  const auto& body = function.body;
  std::vector<size_t> leaders{0};
  for (const auto& [label, position] : function.labels) leaders.push_back(position);
  for (size_t i = 0; i < body.size(); ++i) {
    if (ends_block(body[i])) leaders.push_back(i + 1);
  }
  std::sort(leaders.begin(), leaders.end());
  leaders.erase(std::unique(leaders.begin(), leaders.end()), leaders.end());
  while (!leaders.empty() && leaders.back() >= body.size() && leaders.size() > 1)
    leaders.pop_back();

  FlowGraph graph;
  for (size_t k = 0; k < leaders.size(); ++k) {
    FlowBlock block;
    block.first = leaders[k];
    block.last = k + 1 < leaders.size() ? leaders[k + 1] : body.size();
    graph.blocks.push_back(std::move(block));
  }
  const auto only_ends = [&](const FlowBlock& block) {
    return block.last == block.first + 1 && leaves(body[block.first]) &&
           body[block.first].guard < 0;
  };
  for (size_t b = 0; b < graph.blocks.size(); ++b) {
    FlowBlock& block = graph.blocks[b];
    const ptx::Instruction* last = block.last > block.first ? &body[block.last - 1] : nullptr;
    const bool ends = last != nullptr && ends_block(*last);
    const bool falls_through = !ends || last->guard >= 0;
    if (falls_through && b + 1 < graph.blocks.size())
      block.successors.push_back(static_cast<int>(b) + 1);
    if (!ends || leaves(*last)) continue;
    for (const std::string& label : targets(function, *last)) {
      const int target = graph.block_at(label_position(function, label));
      if (target == kNoBlock)
        continue;  // a label behind the last instruction: the end of the function
      block.successors.push_back(target);
      if (target > static_cast<int>(b)) continue;
      graph.blocks[static_cast<size_t>(target)].is_loop_head = true;
      for (auto k = static_cast<size_t>(target); k <= b; ++k) graph.blocks[k].is_in_loop = true;
    }
  }
  PostDominators(graph.blocks).assign();
  for (FlowBlock& block : graph.blocks) {
    // Where a kernel only ends, nobody waits: a thread that returns early must not keep others from
    // a barrier.
    if (function.is_entry && block.meets_at != kNoBlock &&
        only_ends(graph.blocks[static_cast<size_t>(block.meets_at)])) {
      block.meets_at = kNoBlock;
    }
    if (block.successors.size() > 1 && block.meets_at != kNoBlock) {
      graph.blocks[static_cast<size_t>(block.meets_at)].is_meeting = true;
    }
  }
  return graph;
}

}  // namespace vgpu
