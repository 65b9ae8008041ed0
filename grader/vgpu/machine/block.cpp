#include "machine/block.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace vgpu {
namespace {

// Shared memory starts as NaN patterns: zero would be an accidental right answer.
constexpr uint8_t kSharedPoison = 0xFF;

template <class T>
void broadcast(uint8_t* slot, T value) {
  T* lanes = reinterpret_cast<T*>(slot);
  std::fill(lanes, lanes + kWarpSize, value);
}

void broadcast(uint8_t* slot, uint32_t width, uint64_t bits) {
  switch (width) {
    case 0:
      std::memcpy(slot, &bits, sizeof(uint32_t));
      return;
    case 2:
      return broadcast(slot, static_cast<uint16_t>(bits));
    case 4:
      return broadcast(slot, static_cast<uint32_t>(bits));
    default:
      return broadcast(slot, bits);
  }
}

// What holds for every block of the launch is written once: constants and kernel parameters.
void fill_invariants(const LaunchContext& context, uint8_t* registers) {
  const Kernel& kernel = *context.kernel;
  for (const Frame::Constant& constant : kernel.codes[0].frame.constants) {
    broadcast(registers + constant.offset, constant.width, constant.bits);
  }
  for (const Kernel::ParamSlot& param : kernel.param_slots) {
    uint64_t bits = 0;
    std::memcpy(&bits, context.parameters.data() + param.param_offset, param.loaded);
    if (param.sign_extend) {
      const int shift = 64 - 8 * static_cast<int>(param.loaded);
      bits = static_cast<uint64_t>(static_cast<int64_t>(bits << shift) >> shift);
    }
    broadcast(registers + param.slot, param.width, bits);
  }
}

// The other special registers keep their values while warps of one launch follow each other.
bool changes_with_block(Special which) {
  return which == Special::CtaidX || which == Special::CtaidY || which == Special::CtaidZ ||
         which == Special::SmId;
}

}  // namespace

Block::Block(LaunchContext& launch_context)
    : context(launch_context), started_(cpu_seconds_of_thread()) {
  const Kernel& kernel = *context.kernel;
  const auto& block = context.launch->block;
  const size_t threads = size_t{block[0]} * block[1] * block[2];
  const size_t warps = (threads + kWarpSize - 1) / kWarpSize;
  counts.blocks.resize(kernel.blocks.size());
  counts.sites.resize(kernel.sites.size());
  counts.runs.resize(kernel.runs.size());
  caches.resize(kernel.sites.size());
  shared.resize(context.shared_bytes);
  warps_.resize(warps);
  waiting_.resize(warps);
  constexpr size_t kAlign = 64;  // a cache line, and the widest vector register
  register_memory_ = make_zeros(warps * kernel.frame_bytes + kAlign);
  local_memory_ = make_zeros(warps * kWarpSize * kernel.local_bytes);
  auto* registers = reinterpret_cast<uint8_t*>(
      (reinterpret_cast<uintptr_t>(register_memory_.get()) + kAlign - 1) / kAlign * kAlign);
  for (size_t i = 0; i < warps; ++i) {
    Warp& warp = warps_[i];
    warp.index = static_cast<int>(i);
    warp.block = this;
    warp.block_counts = counts.blocks.data();
    warp.site_counts = counts.sites.data();
    warp.run_counts = counts.runs.data();
    warp.caches = caches.data();
    warp.operands = kernel.operands.data();
    warp.regions = kernel.regions.data();
    warp.shared = shared.data();
    warp.shared_bytes = context.shared_bytes;
    warp.register_file = registers + i * kernel.frame_bytes;
    warp.register_file_bytes = kernel.frame_bytes;
    warp.local_bytes = static_cast<uint32_t>(kernel.local_bytes);
    warp.local = local_memory_.get() + i * kWarpSize * kernel.local_bytes;
    fill_invariants(context, warp.register_file);
    for (const SpecialSlot& slot : kernel.codes[0].specials) {
      for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
        const uint64_t bits = special(warp, slot.special, lane);
        std::memcpy(warp.register_file + slot.offset + lane * slot.width, &bits, slot.width);
      }
    }
    warp.quick = context.observers->empty() ? kFullMask : 0;
  }
  for (const ObserverFactory& make : *context.observers) {
    auto observer = make(*this);
    if (observer == nullptr) continue;
    for (const MemoryKind kind : {MemoryKind::Global, MemoryKind::Shared, MemoryKind::Local}) {
      if (observer->watches(kind)) watching_[static_cast<size_t>(kind)].push_back(observer.get());
    }
    observers.push_back(std::move(observer));
  }
}

Block::Zeros Block::make_zeros(size_t bytes) {
  Zeros zeros(static_cast<uint8_t*>(std::calloc(std::max<size_t>(bytes, 1), 1)));
  if (zeros == nullptr) throw std::bad_alloc();
  return zeros;
}

size_t Block::memory_bytes() const {
  return warps_.size() * (context.kernel->frame_bytes + kWarpSize * context.kernel->local_bytes) +
         shared.size();
}

uint64_t Block::special(const Warp& warp, Special which, uint32_t lane) const {
  const auto& block = context.launch->block;
  const auto& grid = context.launch->grid;
  const uint32_t thread = static_cast<uint32_t>(warp.index) * kWarpSize + lane;
  switch (which) {
    case Special::TidX:
      return thread % block[0];
    case Special::TidY:
      return thread / block[0] % block[1];
    case Special::TidZ:
      return thread / block[0] / block[1];
    case Special::NtidX:
      return block[0];
    case Special::NtidY:
      return block[1];
    case Special::NtidZ:
      return block[2];
    case Special::CtaidX:
      return index[0];
    case Special::CtaidY:
      return index[1];
    case Special::CtaidZ:
      return index[2];
    case Special::NctaidX:
      return grid[0];
    case Special::NctaidY:
      return grid[1];
    case Special::NctaidZ:
      return grid[2];
    case Special::LaneId:
      return lane;
    case Special::WarpId:
      return static_cast<uint64_t>(warp.index);
    case Special::NwarpId:
      return warps_.size();
    case Special::SmId:
      return (index[0] + uint64_t{grid[0]} * (index[1] + uint64_t{grid[1]} * index[2])) %
             static_cast<uint64_t>(context.profile->multiprocessors);
    case Special::NsmId:
      return static_cast<uint64_t>(context.profile->multiprocessors);
    case Special::GridId:
      return context.grid_id;
    case Special::LanemaskEq:
      return 1u << lane;
    case Special::LanemaskLt:
      return (1u << lane) - 1;
    case Special::LanemaskLe:
      return (uint64_t{2} << lane) - 1;
    case Special::LanemaskGt:
      return static_cast<uint32_t>(~((uint64_t{2} << lane) - 1));
    case Special::LanemaskGe:
      return static_cast<uint32_t>(~((uint64_t{1} << lane) - 1));
    case Special::DynamicSharedSize:
      return context.launch->dynamic_shared;
    case Special::TotalSharedSize:
      return context.kernel->static_shared + context.launch->dynamic_shared;
    case Special::GridWorkspaceHigh:
      return context.grid_workspace >> 32;
    case Special::GridWorkspaceLow:
      return context.grid_workspace & 0xFFFFFFFFu;
    case Special::Count_:
      break;
  }
  return 0;
}

void Block::enter(const Warp& warp, const Code& code) const {
  for (const Frame::Constant& constant : code.frame.constants) {
    uint32_t& lanes = warp.predicate(constant.offset);
    if (constant.width == 0)
      lanes = (lanes & ~warp.active) | (static_cast<uint32_t>(constant.bits) & warp.active);
  }
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    if ((warp.active >> lane & 1) == 0) continue;
    for (const Frame::Constant& constant : code.frame.constants) {
      std::memcpy(warp.registers + constant.offset + lane * constant.width, &constant.bits,
                  constant.width);
    }
    for (const SpecialSlot& slot : code.specials) {
      const uint64_t bits = special(warp, slot.special, lane);
      std::memcpy(warp.registers + slot.offset + lane * slot.width, &bits, slot.width);
    }
  }
}

void Block::prepare_warp(Warp& warp, uint32_t threads) {
  const Code& entry = context.kernel->codes[0];
  warp.start(entry.ops.data(), threads >= kWarpSize ? kFullMask : (1u << threads) - 1);
  for (const SpecialSlot& slot : entry.specials) {
    if (changes_with_block(slot.special))
      broadcast(warp.registers + slot.offset, slot.width, special(warp, slot.special, 0));
  }
}

void Block::start(uint64_t number) {
  linear = number;
  const auto& grid = context.launch->grid;
  const auto& block = context.launch->block;
  index = {static_cast<uint32_t>(linear % grid[0]),
           static_cast<uint32_t>(linear / grid[0] % grid[1]),
           static_cast<uint32_t>(linear / grid[0] / grid[1])};
  std::fill(shared.begin(), shared.end(), kSharedPoison);
  barriers_.fill({});
  std::fill(waiting_.begin(), waiting_.end(), Waiting{});
  for (const auto& observer : observers) observer->begin(*this);
  const uint32_t threads = block[0] * block[1] * block[2];
  for (size_t i = 0; i < warps_.size(); ++i) {
    prepare_warp(warps_[i], threads - static_cast<uint32_t>(i) * kWarpSize);
  }
  running_ = warps_.size();
}

Block::Progress Block::advance() {
  bool progress = false, works = false;
  for (Warp& warp : warps_) {
    if (warp.status != WarpStatus::Ready) continue;
    progress = true;
    warp.polled = false;
    warp.run();
    if (warp.status == WarpStatus::Done) --running_;
    works |= warp.status != WarpStatus::Ready || !warp.polled;
  }
  if (release_barriers()) return Progress::Working;
  if (running_ == 0) {
    note_size();
    return Progress::Done;
  }
  if (!progress) report_deadlock();
  return works ? Progress::Working : Progress::Waiting;
}

uint64_t Block::state() const {
  constexpr size_t kMost = 1 << 18;  // of the room for deep recursion only the beginning
  const size_t words = std::min(context.kernel->frame_bytes, kMost) / sizeof(uint64_t);
  uint64_t hash = 0;
  for (const Warp& warp : warps_) {
    const auto* const registers = reinterpret_cast<const uint64_t*>(warp.register_file);
    for (size_t i = 0; i < words; ++i) hash = (hash ^ registers[i]) * 0x9E3779B97F4A7C15u;
    hash = hash * 31 + warp.places();
  }
  return hash;
}

void Block::note_size() {
  uint64_t executed = 0;
  for (size_t b = 0; b < counts.blocks.size(); ++b)
    executed += counts.blocks[b].warps * context.kernel->blocks[b].site_count;
  counts.largest_block = std::max(counts.largest_block, executed - executed_before_);
  executed_before_ = executed;
}

bool Block::arrive(Warp& warp, const Arrival& arrival) {
  if (arrival.id >= kBarriers) {
    warp.fault(FaultCode::Synchronisation, arrival.op, std::countr_zero(arrival.lanes),
               "barrier " + std::to_string(arrival.id) + " does not exist",
               "a block has barriers 0 to 15");
  }
  for (const auto& observer : observers) observer->arrives(warp, arrival.op, arrival.id);
  Barrier& barrier = barriers_[arrival.id];
  barrier.arrived +=
      arrival.threads != 0 ? kWarpSize : static_cast<uint32_t>(std::popcount(arrival.lanes));
  barrier.expected = std::max(barrier.expected, arrival.threads);
  barrier.popc += static_cast<uint32_t>(std::popcount(arrival.vote));
  barrier.total += static_cast<uint32_t>(std::popcount(arrival.lanes));
  if (arrival.waits) {
    waiting_[static_cast<size_t>(warp.index)] = {static_cast<int>(arrival.id), arrival.op,
                                                 arrival.reduction, 0};
  }
  // Whoever comes after the last of a counted barrier begins the next round.
  if (barrier.expected != 0 && barrier.arrived >= barrier.expected) release(arrival.id);
  return waiting_[static_cast<size_t>(warp.index)].barrier >= 0;
}

void Block::release(size_t id) {
  Barrier& barrier = barriers_[id];
  for (Warp& warp : warps_) {
    Waiting& waiting = waiting_[static_cast<size_t>(warp.index)];
    if (waiting.barrier != static_cast<int>(id)) continue;
    using Reduction = Arrival::Reduction;
    waiting.result = waiting.kind == Reduction::Popc  ? barrier.popc
                     : waiting.kind == Reduction::And ? barrier.popc == barrier.total
                                                      : barrier.popc != 0;
    waiting.barrier = -1;
    for (const auto& observer : observers) observer->released(warp, static_cast<uint32_t>(id));
    if (warp.status == WarpStatus::Barrier) warp.status = WarpStatus::Ready;
  }
  barrier = {};
  for (const auto& observer : observers) observer->completed(static_cast<uint32_t>(id));
}

bool Block::release_barriers() {
  uint32_t live = 0;
  for (const Warp& warp : warps_) {
    if (warp.status != WarpStatus::Done) live += static_cast<uint32_t>(std::popcount(warp.live));
  }
  bool released = false;
  for (size_t id = 0; id < kBarriers; ++id) {
    Barrier& barrier = barriers_[id];
    const uint32_t expected = barrier.expected != 0 ? barrier.expected : live;
    if (barrier.arrived == 0 || barrier.arrived < expected) continue;
    release(id);
    released = true;
  }
  return released;
}

std::string Block::positions() const {
  std::string text;
  for (const Warp& warp : warps_) {
    if (warp.status == WarpStatus::Done) continue;
    const Waiting& waiting = waiting_[static_cast<size_t>(warp.index)];
    text += "block (" + std::to_string(index[0]) + "," + std::to_string(index[1]) + "," +
            std::to_string(index[2]) + "), warp " + std::to_string(warp.index) + ": ";
    if (warp.status == WarpStatus::Barrier)
      text += "waits at " + source_place(*context.kernel, context.kernel->sites[waiting.op->site]) +
              " for barrier " + std::to_string(waiting.barrier) + "\n";
    else
      text += "asks again and again at " +
              source_place(*context.kernel, context.kernel->sites[warp.next_operation()->site]) +
              "\n";
  }
  return text;
}

void Block::report_grid_deadlock(const std::string& detail) const {
  const Warp& warp = *std::find_if(warps_.begin(), warps_.end(),
                                   [](const Warp& w) { return w.status == WarpStatus::Ready; });
  warp.fault(FaultCode::Synchronisation, warp.next_operation(), std::countr_zero(warp.live),
             "deadlock: every thread waits for something that no thread will do", detail);
}

void Block::report_deadlock() {
  const Warp* stuck = nullptr;
  std::string detail;
  for (const Warp& warp : warps_) {
    if (warp.status == WarpStatus::Done) continue;
    const Waiting& waiting = waiting_[static_cast<size_t>(warp.index)];
    if (stuck == nullptr) stuck = &warp;
    const Site& site = context.kernel->sites[waiting.op->site];
    detail += "warp " + std::to_string(warp.index) + " waits at " +
              source_place(*context.kernel, site) + " for barrier " +
              std::to_string(waiting.barrier) + "\n";
  }
  stuck->fault(FaultCode::Synchronisation, waiting_[static_cast<size_t>(stuck->index)].op,
               std::countr_zero(stuck->live), "deadlock: a barrier that can never be complete",
               detail);
}

bool Block::find_allocation(uint64_t address, AccessCache& cache) const {
  const AllocationTable& table = *context.allocations;
  auto above = std::upper_bound(
      table.begin(), table.end(), address,
      [](uint64_t a, const Allocation& allocation) { return a < allocation.begin; });
  if (above == table.begin()) return false;
  const Allocation& allocation = *--above;
  if (address >= allocation.end || allocation.freed) return false;
  const size_t position = static_cast<size_t>(above - table.begin());
  cache = {allocation.begin, allocation.end, context.touched[position].get()};
  return true;
}

}  // namespace vgpu
