#include "model/model.hpp"

#include <algorithm>
#include <cmath>

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
/// sector find the rest in L1 later; what every block reads again, L1 has in part.
double l2_sectors(const Work& work, const Constants& constants) {
  const double loaded = constants.l1_misses * work.load_bytes / kSectorBytes;
  const double touched = work.store_sectors + 2 * work.atomic_sectors + work.local_sectors;
  return std::max(loaded + work.copied_bytes / kSectorBytes + touched, work.compulsory_sectors);
}

/// Cycles of L1: it looks up one line of 128 bytes at a time. Lanes whose sectors are used in full
/// lie in few lines, the others in one line each.
double l1_cycles(const Work& work) {
  const double bytes = work.load_bytes + work.copied_bytes + work.store_bytes;
  const double sectors = work.load_sectors + work.store_sectors;
  const double used = sectors > 0 ? std::min(1.0, bytes / (sectors * kSectorBytes)) : 1;
  const double lines =
      std::max(work.global_loads + work.global_stores, sectors * (1 - 0.75 * used));
  return lines + work.atomic_sectors + std::max(work.local_requests, work.local_sectors / 4);
}

/// Cycles that one warp needs from its first instruction to its last when nobody else is there.
double warp_cycles(const Work& work, const GpuProfile& gpu, const Constants& constants) {
  const Instructions& n = work.instructions;
  const double warps = work.blocks * work.warps_per_block();
  const double arithmetic =
      n.fp32 + n.half + n.fp64 + n.matrix + constants.integer_kept * n.integer + n.other;
  const double step = std::max(1.0, gpu.arithmetic_latency / constants.independent);
  const double l2 = l2_sectors(work, constants);
  const double missed = std::min(1.0, l2 / std::max(1.0, work.load_sectors));
  const double cold = std::min(1.0, work.compulsory_sectors / std::max(1.0, l2));
  const double load = gpu.l1_latency + missed * (gpu.l2_latency - gpu.l1_latency) +
                      missed * cold * (gpu.dram_latency - gpu.l2_latency);
  const double cycles =
      step * arithmetic + gpu.mufu_latency / constants.independent * n.special +
      gpu.shared_latency / constants.shared_in_flight * (work.shared_loads + work.shuffles) +
      load / constants.global_in_flight * (work.global_loads + work.atomics) +
      gpu.shared_latency * work.barriers;
  return cycles / warps;
}

/// Seconds that each resource alone would need.
Shares resource_seconds(const Work& work, const Placement& placement, const GpuProfile& gpu,
                        const Constants& constants) {
  const Instructions& n = work.instructions;
  // Of the multiprocessor with the most blocks, from a sum over all blocks.
  const auto per_multiprocessor = [&](double cycles) {
    return cycles * placement.most_blocks / work.blocks / gpu.clock_hz;
  };
  const double integer = constants.integer_kept * n.integer;
  const double merged =
      constants.shared_merged * (work.shared_load_wavefronts - work.shared_conflicts);
  const double l2_bytes = l2_sectors(work, constants) * kSectorBytes;
  Shares seconds{};
  const auto at = [&](Resource resource) -> double& {
    return seconds[static_cast<size_t>(resource)];
  };
  at(Resource::Fma) =
      per_multiprocessor((n.fp32 + n.half) * kLanes / gpu.fma + n.fp64 * kLanes / gpu.fp64);
  at(Resource::Mufu) = per_multiprocessor(n.special * kLanes / gpu.mufu);
  at(Resource::Integer) = per_multiprocessor(integer * kLanes / gpu.integer);
  at(Resource::Tensor) = per_multiprocessor(n.matrix * kMultiplyAddsPerMma / gpu.tensor);
  at(Resource::Issue) = per_multiprocessor(
      (n.fp32 + n.half + n.fp64 + n.special + n.matrix + integer + n.memory + n.other) / gpu.issue);
  at(Resource::Shared) = per_multiprocessor(
      (merged + work.shared_conflicts + work.other_shared_wavefronts + work.shuffles) *
      kWavefrontBytes / gpu.shared_bytes_per_cycle);
  at(Resource::L1) =
      per_multiprocessor(l1_cycles(work) * kWavefrontBytes / gpu.shared_bytes_per_cycle);
  at(Resource::L2) = std::max(l2_bytes / gpu.l2_bytes_per_second,
                              l2_bytes / (placement.busy * gpu.l2_bytes_per_cycle * gpu.clock_hz));
  at(Resource::Dram) = work.compulsory_sectors * kSectorBytes /
                       (constants.dram_efficiency * gpu.dram_bytes_per_second);
  at(Resource::Latency) = placement.rounds * warp_cycles(work, gpu, constants) / gpu.clock_hz;
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
  time.shares[static_cast<size_t>(Resource::Launch)] = gpu.floor_seconds;
  for (double& share : time.shares) share /= time.seconds;
  return time;
}

}  // namespace

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
