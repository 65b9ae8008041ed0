#include "machine/device.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <new>
#include <thread>
#include <tuple>

#include "machine/block.hpp"
#include "machine/occupancy.hpp"
#include "machine/residents.hpp"

namespace vgpu {

// CPU threads that wait for launches. The launching thread works too, so there is one fewer of
// them.
class Device::Pool {
 public:
  explicit Pool(unsigned threads) {
    for (unsigned i = 1; i < threads; ++i) threads_.emplace_back([this] { loop(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// Runs `work` on up to `count` threads at once, this one included, and waits for all of them.
  void run(unsigned count, const std::function<void()>& work) {
    const unsigned helpers = std::min<unsigned>(count - 1, static_cast<unsigned>(threads_.size()));
    {
      const std::lock_guard lock(mutex_);
      work_ = &work;
      wanted_ = unfinished_ = helpers;
    }
    wake_.notify_all();
    work();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return unfinished_ == 0; });
    work_ = nullptr;
  }

  unsigned size() const { return static_cast<unsigned>(threads_.size()) + 1; }

 private:
  void loop() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || wanted_ > 0; });
      if (stopping_) return;
      --wanted_;
      const auto* work = work_;
      lock.unlock();
      (*work)();
      lock.lock();
      if (--unfinished_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  const std::function<void()>* work_ = nullptr;
  unsigned wanted_ = 0, unfinished_ = 0;
  bool stopping_ = false;
};

Device::Device(GpuProfile profile, DeviceOptions options)
    : profile_(std::move(profile)), options_(std::move(options)), memory_(profile_.global_memory) {
  if (!options_.observers.empty()) memory_.track_writes();
}

Device::~Device() = default;

namespace {

// What went wrong in a launch: of several blocks the lowest is reported, so the report does not
// depend on timing.
struct FirstFault {
  std::mutex mutex;
  uint64_t block = ~uint64_t{0};
  std::exception_ptr fault;

  void record(uint64_t linear, std::exception_ptr thrown) {
    const std::lock_guard lock(mutex);
    if (linear >= block) return;
    block = linear;
    fault = std::move(thrown);
  }
};

// The findings that stand, in the order of the program.
void settle_findings(RawCounts& counts) {
  std::erase_if(counts.findings, [&](const Finding& finding) {
    return std::find(counts.cleared.begin(), counts.cleared.end(), finding.suspect) !=
           counts.cleared.end();
  });
  std::sort(counts.findings.begin(), counts.findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.site, a.kind) < std::tie(b.site, b.kind);
  });
}

[[noreturn]] void rethrow(const std::exception_ptr& thrown, const RawCounts& counts) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Fault& fault) {
    Fault told = fault;
    told.findings = counts.findings;
    throw told;
  }
}

// What fused runs did, at the instructions that they are made of.
void count_runs(const Kernel& kernel, RawCounts& counts) {
  for (size_t r = 0; r < kernel.runs.size(); ++r) {
    const RunCount& run = counts.runs[r];
    for (const FusedRun::SharedLoad& load : kernel.runs[r].shared_loads) {
      counts.sites[load.site].shared.requests += run.executed;
      counts.sites[load.site].shared.wavefronts += run.executed * load.wavefronts;
    }
    for (const FusedRun::GlobalLoad& load : kernel.runs[r].global_loads) {
      counts.sites[load.site].global.requests += run.executed;
      counts.sites[load.site].global.sectors += run.sectors;
      counts.sites[load.site].global.bytes += run.values * load.size;
    }
  }
}

uint64_t count_touched(const LaunchContext& context) {
  uint64_t sectors = 0;
  for (size_t i = 0; i < context.touched.size(); ++i) {
    if (context.touched[i] == nullptr) continue;
    const Allocation& allocation = (*context.allocations)[i];
    const size_t words = ((allocation.end - allocation.begin + 31) / 32 + 63) / 64;
    for (size_t w = 0; w < words; ++w) {
      sectors += static_cast<uint64_t>(__builtin_popcountll(context.touched[i][w]));
    }
  }
  return sectors;
}

// Two words of the driver: its size and the barrier's counter, which starts at zero (CG's
// driver_abi.h).
uint64_t make_grid_workspace(DeviceMemory& memory) {
  constexpr size_t kBytes = 256;
  void* const workspace = memory.allocate(kBytes, "the grid's barrier", MemoryUse::Variable);
  if (workspace == nullptr) throw std::bad_alloc();
  std::memset(workspace, 0, kBytes);
  memory.note_written(workspace, kBytes);
  return reinterpret_cast<uint64_t>(workspace);
}

// Blocks of an ordinary launch that a GPU has under way at once, registers left out of account.
uint64_t blocks_at_once(const GpuProfile& profile, const Launch& launch, size_t shared_bytes) {
  const auto threads = static_cast<int>(launch.block[0] * launch.block[1] * launch.block[2]);
  const int each = std::max(occupancy(profile, threads, 1, shared_bytes).blocks, 1);
  return static_cast<uint64_t>(each) * static_cast<uint64_t>(profile.multiprocessors);
}

}  // namespace

void RawCounts::add(const RawCounts& other) {
  for (const Finding& finding : other.findings) {
    const auto known = std::find_if(findings.begin(), findings.end(), [&](const Finding& f) {
      return f.site == finding.site && f.kind == finding.kind;
    });
    if (known == findings.end())
      findings.push_back(finding);
    else if (const bool firm = finding.suspect == Finding::kFirm;
             firm == (known->suspect == Finding::kFirm) ? finding.block < known->block : firm)
      *known = finding;
  }
  cleared.insert(cleared.end(), other.cleared.begin(), other.cleared.end());
  runs.resize(std::max(runs.size(), other.runs.size()));
  for (size_t i = 0; i < other.runs.size(); ++i) {
    runs[i].executed += other.runs[i].executed;
    runs[i].sectors += other.runs[i].sectors;
    runs[i].values += other.runs[i].values;
  }
  blocks.resize(std::max(blocks.size(), other.blocks.size()));
  sites.resize(std::max(sites.size(), other.sites.size()));
  for (size_t i = 0; i < other.blocks.size(); ++i) {
    blocks[i].warps += other.blocks[i].warps;
    blocks[i].lanes += other.blocks[i].lanes;
  }
  const auto add_traffic = [](Traffic& to, const Traffic& from) {
    to.requests += from.requests;
    to.sectors += from.sectors;
    to.bytes += from.bytes;
  };
  for (size_t i = 0; i < other.sites.size(); ++i) {
    SiteCount& to = sites[i];
    const SiteCount& from = other.sites[i];
    add_traffic(to.global, from.global);
    add_traffic(to.local, from.local);
    to.shared.requests += from.shared.requests;
    to.shared.wavefronts += from.shared.wavefronts;
    to.shared.conflicts += from.shared.conflicts;
    to.executed += from.executed;
    to.divergent += from.divergent;
    to.idle_lanes += from.idle_lanes;
    to.idle_warps += from.idle_warps;
  }
  largest_block = std::max(largest_block, other.largest_block);
}

RawCounts Device::run(const Launch& launch) {
  if (pool_ == nullptr) {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    pool_ = std::make_unique<Pool>(options_.threads != 0 ? options_.threads : cores);
  }
  const Kernel& kernel = *launch.kernel;
  static std::atomic<uint64_t> next_grid{1};
  LaunchContext context;
  context.kernel = &kernel;
  context.launch = &launch;
  context.profile = &profile_;
  context.memory = &memory_;
  context.observers = &options_.observers;
  if (kernel.uses_heap) heap_.reserve(memory_, options_.heap_bytes);
  context.heap = &heap_;
  if (launch.cooperative) context.grid_workspace = make_grid_workspace(memory_);
  // A kernel that takes the address of a parameter finds all of them in memory; where, it reads
  // behind the last.
  const bool in_memory = std::any_of(
      kernel.param_slots.begin(), kernel.param_slots.end(),
      [&](const Kernel::ParamSlot& slot) { return slot.param_offset == kernel.param_bytes; });
  void* const parameters =
      in_memory ? memory_.allocate(kernel.param_bytes, "the parameters", MemoryUse::Variable)
                : nullptr;
  if (in_memory && parameters == nullptr) throw std::bad_alloc();
  context.allocations = memory_.snapshot();
  for (const Allocation& allocation : *context.allocations) {
    const size_t words = ((allocation.end - allocation.begin + 31) / 32 + 63) / 64;
    context.touched.push_back(allocation.freed ? nullptr : std::make_unique<uint64_t[]>(words));
  }
  context.parameters.resize(kernel.param_bytes + 8);
  for (size_t i = 0; i < kernel.params.size(); ++i) {
    std::memcpy(context.parameters.data() + kernel.params[i].offset, launch.arguments[i],
                kernel.params[i].size);
  }
  if (in_memory) {
    std::memcpy(parameters, context.parameters.data(), kernel.param_bytes);
    memory_.note_written(parameters, kernel.param_bytes);
    std::memcpy(context.parameters.data() + kernel.param_bytes, &parameters, sizeof parameters);
  }
  context.shared_bytes =
      static_cast<uint32_t>(kernel.static_shared + kernel.shared_padding + launch.dynamic_shared);
  context.grid_id = next_grid++;
  context.timeout_seconds = options_.timeout_seconds;
  context.start = std::chrono::steady_clock::now();

  const uint64_t blocks = uint64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  const unsigned threads = static_cast<unsigned>(std::min<uint64_t>(pool_->size(), blocks));
  context.threads = threads;
  const uint64_t most =
      launch.cooperative ? blocks : blocks_at_once(profile_, launch, context.shared_bytes);
  RawCounts total;
  std::mutex total_mutex;
  FirstFault first;
  pool_->run(threads, [&] {
    Residents residents(context, blocks, most);
    try {
      // Blocks are handed out in order, so every block below a failing one has been started.
      residents.run();
    } catch (const Fault& fault) {
      uint64_t seen = context.last_block.load();
      const uint64_t linear = residents.current();
      while (linear < seen && fault.code != FaultCode::None &&
             !context.last_block.compare_exchange_weak(seen, linear)) {
      }
      if (fault.code != FaultCode::None) first.record(linear, std::current_exception());
    } catch (...) {
      context.last_block = 0;
      first.record(residents.current(), std::current_exception());
    }
    const std::lock_guard lock(total_mutex);
    residents.add_counts(total);
  });
  if (context.grid_workspace != 0) memory_.free(reinterpret_cast<void*>(context.grid_workspace));
  if (in_memory) memory_.free(parameters);
  settle_findings(total);
  if (first.fault) rethrow(first.fault, total);
  count_runs(kernel, total);
  total.compulsory_sectors = count_touched(context);
  total.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - context.start).count();
  return total;
}

}  // namespace vgpu
