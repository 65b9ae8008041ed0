#include "machine/warp.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "machine/block.hpp"

namespace vgpu {

void Warp::start(const Op* entry, uint32_t lanes) {
  active = live = lanes;
  fuel = kFuel;
  registers = register_file;
  local_base = 0;
  reconvergence = nullptr;
  node_ = frame_ = -1;
  others_.clear();
  nodes_.clear();
  free_nodes_.clear();
  frames_.clear();
  copies.clear();
  stack.fill(local_bytes);
  pc_ = entry;
  status = WarpStatus::Ready;
}

void Warp::run() {
  status = WarpStatus::Ready;
  const Op* op = std::exchange(pc_, nullptr);
  while (op != nullptr) op = op->run(*this, op);
}

uint64_t Warp::places() const {
  const auto place = [](const Op* op, uint32_t lanes) {
    return (reinterpret_cast<uint64_t>(op) ^ uint64_t{lanes} << 32) * 0x9E3779B97F4A7C15u;
  };
  uint64_t sum = place(pc_, active) + static_cast<uint64_t>(status);
  for (const Split& split : others_) sum += place(split.pc, split.active);
  return sum;
}

Warp::Split Warp::current(const Op* pc) const {
  return {pc,         active,  node_, frame_, static_cast<uint32_t>(registers - register_file),
          local_base, nullptr, 0};
}

const Op* Warp::resume(const Split& split) {
  active = split.active;
  node_ = split.node;
  frame_ = split.frame;
  registers = register_file + split.registers;
  local_base = split.local_base;
  reconvergence = node_ >= 0 && nodes_[node_].frame == frame_ ? nodes_[node_].meet : nullptr;
  return split.pc;
}

int Warp::new_node(const Node& node) {
  if (free_nodes_.empty()) {
    nodes_.push_back(node);
    return static_cast<int>(nodes_.size()) - 1;
  }
  const int reused = free_nodes_.back();
  free_nodes_.pop_back();
  nodes_[static_cast<size_t>(reused)] = node;
  return reused;
}

const Op* Warp::diverge(const Op* target, uint32_t taken, const Op* fall_through, const Op* meet) {
  const Op* targets[] = {fall_through, target};
  const uint32_t lanes[] = {active & ~taken, taken};
  return diverge(targets, lanes, 2, meet);
}

const Op* Warp::diverge(const Op* const* targets, const uint32_t* lanes, size_t count,
                        const Op* meet) {
  // A branch to the next line: nobody would be left to go on before the meeting point.
  if (std::all_of(targets, targets + count, [&](const Op* op) { return op == meet; })) return meet;
  // A loop that loses lanes in every iteration meets at one place: one node serves them all.
  const bool same_place = node_ >= 0 && nodes_[node_].meet == meet && nodes_[node_].frame == frame_;
  if (meet != nullptr && !same_place) node_ = new_node({meet, active, 0, node_, frame_});
  const Split origin = current(nullptr);
  const Op* first = nullptr;
  uint32_t first_lanes = 0;
  for (size_t i = 0; i < count; ++i) {
    if (lanes[i] == 0) continue;
    if (targets[i] == meet) {
      nodes_[node_].arrived |= lanes[i];
      continue;
    }
    // The earlier place in the program goes first: a loop body before what follows the loop.
    const Op* waiting = targets[i];
    uint32_t waiting_lanes = lanes[i];
    if (first == nullptr || waiting < first) {
      std::swap(first, waiting);
      std::swap(first_lanes, waiting_lanes);
    }
    if (waiting != nullptr) {
      Split split = origin;
      split.pc = waiting;
      split.active = waiting_lanes;
      others_.push_back(split);
    }
  }
  Split split = origin;
  split.pc = first;
  split.active = first_lanes;
  return resume(split);
}

const Op* Warp::reconverge(const Op* op) {
  while (reconvergence == op) {
    Node& node = nodes_[node_];
    node.arrived |= active;
    if (node.arrived != (node.expected & live)) return next_split();
    active = node.arrived;
    free_nodes_.push_back(node_);
    node_ = node.parent;
    reconvergence = node_ >= 0 && nodes_[node_].frame == frame_ ? nodes_[node_].meet : nullptr;
  }
  return op;
}

// Lanes of `node` have exited: the others may all be waiting at its meeting point already.
void Warp::settle(int node) {
  while (node >= 0) {
    const Node n = nodes_[node];
    const uint32_t expected = n.expected & live;
    if (n.arrived != expected && expected != 0) return;
    if (expected != 0) {
      Split split;
      split.pc = n.meet;
      split.active = n.arrived & live;
      split.node = n.parent;
      split.frame = n.frame;
      if (n.frame == frame_) {
        split.registers = static_cast<uint32_t>(registers - register_file);
        split.local_base = local_base;
      } else {
        // The lanes exited deeper in the call chain: walk down to the frame that waits.
        int frame = frame_;
        while (frame >= 0 && frames_[frame].parent != n.frame) frame = frames_[frame].parent;
        split.registers = frames_[frame].registers;
        split.local_base = frames_[frame].local_base;
      }
      others_.push_back(split);
    }
    free_nodes_.push_back(node);
    if (expected != 0) return;
    node = n.parent;
  }
}

const Op* Warp::exit_lanes() {
  live &= ~active;
  if (live == 0) {
    status = WarpStatus::Done;
    return nullptr;
  }
  settle(node_);
  return next_split();
}

const Op* Warp::exit_some(uint32_t leaving, const Op* next) {
  Split staying = current(next);
  staying.active = active & ~leaving;
  others_.push_back(staying);
  active = leaving;
  return exit_lanes();
}

const Op* Warp::next_split() {
  for (size_t i = others_.size(); i-- > 0;) {
    if (others_[i].waits_at != nullptr) continue;
    const Split split = others_[i];
    others_.erase(others_.begin() + static_cast<std::ptrdiff_t>(i));
    return resume(split);
  }
  // Everybody waits: exited lanes may have completed a collective.
  for (const Split& split : others_) {
    if ((split.members & live & ~waiting_for(split.members)) == 0)
      return release_collective(split.members);
  }
  const Split& stuck = others_.front();
  fault(FaultCode::Synchronisation, stuck.waits_at, std::countr_zero(stuck.active),
        is_block_barrier(stuck.waits_at)
            ? "divergent barrier: only some threads of the warp reach it"
            : "deadlock in a warp: lanes wait for lanes that never come",
        positions() +
            "every thread that a barrier or a mask means must reach it, not only one side of a "
            "branch");
}

bool Warp::is_block_barrier(const Op* op) const {
  return block->context.kernel->sites[op->site].mnemonic.starts_with("bar") &&
         op->extra != kNoExchange;
}

uint32_t Warp::waiting_for(uint32_t members) const {
  uint32_t present = 0;
  for (const Split& other : others_) {
    if (other.waits_at != nullptr && other.members == members) present |= other.active;
  }
  return present;
}

const Op* Warp::collect(const Op* op, uint32_t members) {
  Split split = current(op);
  split.waits_at = op;
  split.members = members;
  others_.push_back(split);
  if ((members & live & ~waiting_for(members)) == 0) return release_collective(members);
  return next_split();
}

const Op* Warp::leave_behind(const Op* op, uint32_t group) {
  Split others = current(op);
  others.active = active & ~group;
  others_.push_back(others);
  active = group;
  return op;
}

const Op* stop_warp(Warp&, const Op*) {
  return nullptr;
}

// Everyone named in `members` is here. When that is the whole warp at one place, it goes on as one;
// otherwise the operation is executed once for all of them, and then each split goes on alone.
const Op* Warp::release_collective(uint32_t members) {
  uint32_t together = 0;
  const Split* first = nullptr;
  bool same_place = true;
  for (const Split& split : others_) {
    if (split.waits_at == nullptr || split.members != members) continue;
    together |= split.active;
    if (first == nullptr) first = &split;
    same_place &= split.waits_at == first->waits_at && split.frame == first->frame;
    if (split.waits_at->run != first->waits_at->run ||
        (!same_place && split.waits_at->extra != kNoExchange)) {
      fault(FaultCode::Synchronisation, split.waits_at, std::countr_zero(split.active),
            is_block_barrier(split.waits_at)
                ? "divergent barrier: threads of one warp wait at different barriers"
                : "lanes of one warp execute different warp-wide operations with one mask",
            positions());
    }
  }
  if (together == live && same_place) {
    Split whole = *first;
    whole.active = live;
    whole.node = -1;
    others_.clear();
    nodes_.clear();
    free_nodes_.clear();
    return resume(whole);
  }
  Op once[2] = {*first->waits_at, {}};
  once[1].run = stop_warp;
  active = together;
  registers = register_file + first->registers;
  for (const Op* step = once; step != nullptr && step != once + 1;) step = step->run(*this, step);
  for (Split& split : others_) {
    if (split.waits_at == nullptr || split.members != members) continue;
    split.pc = split.waits_at + 1;
    split.waits_at = nullptr;
  }
  return next_split();
}

const Op* Warp::give_way(const Op* op) {
  fuel = kFuel;
  block->check_clock(*this, op);
  if (!others_.empty()) {
    others_.insert(others_.begin(), current(op));
    op = next_split();
  }
  pc_ = op;
  return nullptr;
}

const Op* Warp::wait_at_barrier(const Op* next) {
  pc_ = next;
  status = WarpStatus::Barrier;
  return nullptr;
}

const Op* Warp::call(const Op* caller, const Code& callee, const Code& from) {
  const uint32_t base = static_cast<uint32_t>(registers - register_file);
  const size_t next = base + from.frame.bytes;
  if (next + callee.frame.bytes > register_file_bytes ||
      local_base + from.frame.local_bytes + callee.frame.local_bytes >
          local_bytes - block->context.kernel->stack_bytes) {
    fault(FaultCode::StackOverflow, caller, std::countr_zero(active),
          "the call stack is full: `" + callee.name + "` calls too deep",
          "recursion without an end, or deeper than the virtual GPU allows");
  }
  frames_.push_back({caller, base, local_base, frame_});
  frame_ = static_cast<int>(frames_.size()) - 1;
  local_base += from.frame.local_bytes;
  registers = register_file + next;
  reconvergence = nullptr;
  return callee.ops.data();
}

const Op* Warp::return_from_call() {
  const Frame frame = frames_[frame_];
  returned_frame_ = registers;
  registers = register_file + frame.registers;
  local_base = frame.local_base;
  if (others_.empty())
    frames_.resize(static_cast<size_t>(frame_));  // otherwise another split may still need them
  frame_ = frame.parent;
  reconvergence = node_ >= 0 && nodes_[node_].frame == frame_ ? nodes_[node_].meet : nullptr;
  return frame.call;
}

}  // namespace vgpu
