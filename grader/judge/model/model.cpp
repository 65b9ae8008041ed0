#include "model/model.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "machine/occupancy.hpp"
#include "model/work.hpp"

namespace flashlab::model {
namespace {

constexpr double kLanes = 32, kSectorBytes = 32, kWavefrontBytes = 128;
constexpr double kMultiplyAddsPerMma = 16 * 8 * 16;  // of mma.m16n8k16

/// How a launch's blocks lie on the GPU.
struct Placement {
  int resident = 0;        ///< blocks on one multiprocessor at one time
  double occupancy = 0;    ///< resident warps / most
  double busy = 0;         ///< multiprocessors with at least one block
  double most_blocks = 0;  ///< that one multiprocessor gets, one after another or together
  double rounds = 0;       ///< of resident blocks on that multiprocessor
  double waves = 0;
};

Placement place(const Work& work, const GpuProfile& gpu) {
  const vgpu::Occupancy fit =
      vgpu::occupancy(gpu.limits, work.threads, work.registers, work.shared_bytes);
  if (fit.blocks < 1)
    throw ModelError(work.kernel + ": a block of " + std::to_string(work.threads) + " threads, " +
                     std::to_string(work.registers) + " registers each and " +
                     std::to_string(work.shared_bytes) +
                     " bytes of shared memory does not fit on " + gpu.name);
  const double multiprocessors = gpu.limits.multiprocessors;
  Placement placement;
  placement.resident = fit.blocks;
  placement.occupancy = fit.fraction;
  placement.busy = std::min(work.blocks, multiprocessors);
  placement.most_blocks = std::ceil(work.blocks / multiprocessors);
  placement.rounds = std::ceil(placement.most_blocks / fit.blocks);
  placement.waves = work.blocks / (multiprocessors * fit.blocks);
  return placement;
}

/// 32-byte sectors of global memory that pass between L1 and L2. Lanes that read a part of a
/// sector find the rest in L1 later; what several blocks read, L1 has in part.
double l2_sectors(const Work& work, const Constants& constants) {
  const double loaded = constants.l1_misses * (work.load_bytes + work.copied_bytes) / kSectorBytes;
  return std::max(loaded + work.store_sectors + 2 * work.atomic_sectors, work.compulsory_sectors);
}

/// 32-byte sectors that device memory delivers or takes: each one that the launch touches once, L2
/// being empty when it starts, and what of the rest L2 has no room to keep.
double dram_sectors(const Work& work, const GpuProfile& gpu, const Constants& constants) {
  const double once = work.compulsory_sectors;
  const double kept = std::min(1.0, gpu.l2_bytes / std::max(1.0, once * kSectorBytes));
  return once + (1 - kept) * (l2_sectors(work, constants) - once);
}

/// Part of the loaded sectors that the lanes use in full; 1 when there are none.
double used_part(double bytes, double sectors) {
  return sectors > 0 ? std::min(1.0, bytes / (sectors * kSectorBytes)) : 1;
}

/// Cycles of L1, which looks up one line of 128 bytes at a time. Sectors that are used in full lie
/// four to a line, the others alone.
double lookups(double requests, double sectors, double bytes) {
  const double used = used_part(bytes, sectors);
  return std::max(requests, sectors * (1 - 0.75 * used * used));
}
double l1_cycles(const Work& work) {
  return lookups(work.global_loads, work.load_sectors, work.load_bytes + work.copied_bytes) +
         lookups(work.global_stores, work.store_sectors, work.store_bytes) + work.atomic_sectors +
         std::max(work.local_requests, work.local_sectors / 4);
}

/// Cycles that a warp waits for all its batches of loads from global memory. Loads between two
/// branches form a batch, if they are no more than can be in flight; its latency is that of L1,
/// L2 or device memory, as far as the launch has to go there for what it loads.
double waiting_for_loads(const Work& work, const GpuProfile& gpu, const Constants& constants) {
  const double loads = std::max(0.0, work.global_loads - work.copies) + work.atomics;
  if (loads == 0) return 0;
  const double batches =
      std::max(loads / constants.global_in_flight, std::min(loads, work.branches + work.barriers));
  const double bytes = work.load_bytes + work.copied_bytes;
  const double miss = std::min(1.0, used_part(bytes, work.load_sectors) * loads / batches);
  const double cold = std::min(1.0, work.compulsory_sectors * kSectorBytes /
                                        std::max(1.0, bytes + work.store_sectors * kSectorBytes));
  const double behind_l1 = gpu.l2_latency + cold * (gpu.dram_latency - gpu.l2_latency);
  return batches * (gpu.l1_latency + miss * std::max(0.0, behind_l1 - gpu.l1_latency));
}

/// Warp instructions that reach the schedulers.
double issued(const Work& work, const Constants& constants) {
  const Instructions& n = work.instructions;
  return n.fp32 + n.half + n.fp64 + n.special + n.matrix + constants.integer_kept * n.integer +
         n.memory + n.other;
}

/// Cycles from a warp's first instruction to its last when nobody else is there, on average.
double warp_cycles(const Work& work, const GpuProfile& gpu, const Constants& constants) {
  const double cycles =
      issued(work, constants) +
      constants.chain_per_branch * gpu.arithmetic_latency * (work.branches + work.barriers) +
      gpu.shared_latency / constants.shared_in_flight * (work.shared_loads + work.shuffles) +
      waiting_for_loads(work, gpu, constants);
  return cycles / (work.blocks * work.warps_per_block());
}

/// Seconds that each resource alone would need.
Shares resource_seconds(const Work& work, const Placement& placement, const GpuProfile& gpu,
                        const Constants& constants) {
  const Instructions& n = work.instructions;
  // Of the multiprocessor with the most work, from a sum over all blocks.
  const double blocks = std::max(placement.most_blocks, work.imbalance);
  const auto busiest = [&](double cycles) { return cycles * blocks / work.blocks / gpu.clock_hz; };
  const double wavefront = kWavefrontBytes / gpu.shared_bytes_per_cycle;
  const double l2_bytes = l2_sectors(work, constants) * kSectorBytes;
  const double l2_rate =
      std::min(gpu.l2_bytes_per_second, placement.busy * gpu.l2_bytes_per_cycle * gpu.clock_hz);
  Shares seconds{};
  const auto at = [&](Resource resource) -> double& {
    return seconds[static_cast<size_t>(resource)];
  };
  at(Resource::Fma) = busiest((n.fp32 + n.half) * kLanes / gpu.fma + n.fp64 * kLanes / gpu.fp64);
  at(Resource::Mufu) = busiest(n.special * kLanes / gpu.mufu);
  at(Resource::Integer) = busiest(constants.integer_kept * n.integer * kLanes / gpu.integer);
  at(Resource::Tensor) = busiest(n.matrix * kMultiplyAddsPerMma / gpu.tensor);
  at(Resource::Issue) = busiest(issued(work, constants) / gpu.issue);
  at(Resource::Shared) = busiest(
      (work.shared_load_wavefronts + work.other_shared_wavefronts + work.shuffles) * wavefront);
  at(Resource::L1) = busiest(std::max(l1_cycles(work) * wavefront, n.memory * kLanes / gpu.lsu));
  at(Resource::L2) = l2_bytes / l2_rate;
  at(Resource::Dram) = dram_sectors(work, gpu, constants) * kSectorBytes /
                       (constants.dram_efficiency * gpu.dram_bytes_per_second);
  at(Resource::Latency) =
      std::max(placement.rounds, work.imbalance) * warp_cycles(work, gpu, constants) / gpu.clock_hz;
  at(Resource::Launch) = work.blocks / (gpu.blocks_per_cycle * gpu.clock_hz);
  return seconds;
}

LaunchTime time_of(const Work& work, const GpuProfile& gpu, const Constants& constants) {
  const Placement placement = place(work, gpu);
  LaunchTime time;
  time.kernel = work.kernel;
  time.occupancy = placement.occupancy;
  time.waves = placement.waves;
  time.blocks_per_sm = placement.resident;
  time.registers = work.registers;
  time.shares = resource_seconds(work, placement, gpu, constants);
  double sum = 0;
  for (const double seconds : time.shares) sum += std::pow(seconds, constants.overlap);
  time.seconds = std::pow(sum, 1 / constants.overlap) + gpu.floor_seconds;
  time.shares[static_cast<size_t>(Resource::Launch)] += gpu.floor_seconds;
  for (double& share : time.shares) share /= time.seconds;
  return time;
}

}  // namespace

double* find(Constants& constants, const std::string& name) {
  const std::map<std::string, double*> all = {{"overlap", &constants.overlap},
                                              {"integer_kept", &constants.integer_kept},
                                              {"chain_per_branch", &constants.chain_per_branch},
                                              {"shared_in_flight", &constants.shared_in_flight},
                                              {"global_in_flight", &constants.global_in_flight},
                                              {"l1_misses", &constants.l1_misses},
                                              {"dram_efficiency", &constants.dram_efficiency}};
  const auto found = all.find(name);
  return found == all.end() ? nullptr : found->second;
}

Resource limiter(const Shares& shares) {
  return static_cast<Resource>(std::max_element(shares.begin(), shares.end()) - shares.begin());
}

ModelledTime model_time(const nlohmann::json& launches, const GpuProfile& gpu,
                        const Constants& constants) {
  if (!launches.is_array()) throw ModelError("the counters are no array of launches");
  ModelledTime result;
  result.gpu = gpu.id;
  result.name = gpu.name;
  for (size_t i = 0; i < launches.size(); ++i) {
    const LaunchTime time = time_of(work_of(launches[i], i), gpu, constants);
    result.seconds += time.seconds;
    for (size_t r = 0; r < kResources; ++r) result.shares[r] += time.shares[r] * time.seconds;
    result.launches.push_back(time);
  }
  if (result.seconds > 0)
    for (double& share : result.shares) share /= result.seconds;
  return result;
}

}  // namespace flashlab::model
