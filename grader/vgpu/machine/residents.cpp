#include "machine/residents.hpp"

namespace vgpu {
namespace {

// Turns of each block that pass in vain before another one is started, and before the blocks'
// states are compared.
constexpr size_t kPatience = 2, kSuspicion = 200;
// Memory of the blocks that one CPU thread has under way.
constexpr size_t kMostBytes = size_t{1} << 30;
// How long blocks may come back to the same place before that counts as a deadlock: another thread
// of the program may yet write the flag that they wait for.
constexpr std::chrono::seconds kGrace{3};
constexpr size_t kMostPositions = 8;  // lines of a report

}  // namespace

bool Residents::start_one() {
  const uint64_t under_way = context_.next_block.load() - context_.finished_blocks.load();
  const bool has_room =
      active_.empty() ||
      (under_way < most_ &&
       (context_.launch->cooperative || active_.size() * active_[0]->memory_bytes() < kMostBytes));
  if (!has_room) return false;
  const uint64_t number = context_.next_block.fetch_add(1);
  if (number >= blocks_ || number > context_.last_block.load()) return false;
  current_ = number;
  if (idle_.empty()) idle_.push_back(std::make_unique<Block>(context_));
  active_.push_back(std::move(idle_.back()));
  idle_.pop_back();
  at_ = active_.size() - 1;
  active_[at_]->start(number);
  return true;
}

void Residents::run() {
  ++context_.busy_threads;
  while (!active_.empty() || start_one()) {
    if (at_ >= active_.size()) at_ = 0;
    Block& block = *active_[at_];
    current_ = block.linear;
    const Block::Progress progress = block.advance();
    if (progress == Block::Progress::Waiting) {
      // Who has failed will never do what the others wait for.
      if (context_.last_block.load() != ~uint64_t{0})
        throw Fault(FaultCode::None, "another block has failed");
      ++at_;
      if (++in_vain_ % (kPatience * active_.size()) == 0 && !start_one() &&
          in_vain_ > kSuspicion * active_.size())
        look_for_deadlock();
      continue;
    }
    in_vain_ = 0;
    set_stuck(false);
    if (progress == Block::Progress::Working) continue;
    ++context_.finished_blocks;
    idle_.push_back(std::move(active_[at_]));
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(at_));
  }
  --context_.busy_threads;
}

void Residents::set_stuck(bool stuck) {
  if (stuck != is_stuck_) context_.stuck_threads += stuck ? 1u : ~0u;
  is_stuck_ = stuck;
}

// Blocks whose warps come back to the same place with the same registers, again and again on every
// CPU thread, will do so for ever.
void Residents::look_for_deadlock() {
  uint64_t state = 1;
  for (const auto& block : active_) state = state * 31 + block->state();
  const auto now = std::chrono::steady_clock::now();
  if (!is_stuck_ || state != state_) stuck_since_ = now;
  set_stuck(state == state_);
  state_ = state;
  if (!is_stuck_ || now - stuck_since_ < kGrace ||
      context_.stuck_threads.load() < context_.busy_threads.load())
    return;
  std::string detail;
  for (size_t b = 0; b < active_.size() && b < kMostPositions; ++b)
    detail += active_[b]->positions();
  if (active_.size() > kMostPositions)
    detail += std::to_string(active_.size() - kMostPositions) + " more blocks wait\n";
  if (context_.next_block.load() < blocks_)
    detail += "no more blocks of the grid fit on the device beside those that wait\n";
  active_[0]->report_grid_deadlock(detail);
}

void Residents::add_counts(RawCounts& total) const {
  for (const auto* list : {&active_, &idle_})
    for (const auto& block : *list) total.add(block->counts);
}

}  // namespace vgpu
