#include "observe/counters.hpp"

#include <map>

#include "machine/kernel.hpp"

namespace vgpu {

const char* to_string(InstructionClass c) {
  static constexpr const char* kNames[] = {
      "integer",     "float32",      "fma32",      "float64",     "half",        "special",
      "convert",     "move",         "predicate",  "control",     "load_global", "store_global",
      "load_shared", "store_shared", "load_local", "store_local", "load_other",  "atomic",
      "barrier",     "warp",         "async",      "matrix",      "other"};
  static_assert(sizeof kNames / sizeof *kNames == kInstructionClasses);
  return kNames[static_cast<size_t>(c)];
}

namespace {

void add(Traffic& to, const Traffic& from) {
  to.requests += from.requests;
  to.sectors += from.sectors;
  to.bytes += from.bytes;
}

void add(SharedTraffic& to, const SharedTraffic& from) {
  to.requests += from.requests;
  to.wavefronts += from.wavefronts;
  to.conflicts += from.conflicts;
}

bool stores(InstructionClass kind) {
  return kind == InstructionClass::StoreGlobal || kind == InstructionClass::StoreShared ||
         kind == InstructionClass::StoreLocal;
}

/// What one instruction did, as `warps` and `lanes` executions of it.
void add(Counts& to, const Site& site, const SiteCount& count, uint64_t warps, uint64_t lanes) {
  const auto kind = static_cast<size_t>(site.kind);
  to.warp_instructions += warps;
  to.lane_instructions += lanes;
  to.warp_by_class[kind] += warps;
  to.lane_by_class[kind] += lanes;
  to.branches += count.executed;
  to.divergent_branches += count.divergent;
  if (site.kind == InstructionClass::Barrier) to.barriers += warps;
  if (site.kind == InstructionClass::Atomic) {
    add(to.global_atomic, count.global);
    add(to.shared_atomic, count.shared);
  } else if (site.kind == InstructionClass::Async) {
    add(to.global_load, Traffic{count.global.requests, count.global.sectors, 0});
    to.async_copy_bytes += count.global.bytes;
    add(to.async_copy, count.shared);
  } else {
    const bool is_store = stores(site.kind);
    add(is_store ? to.global_store : to.global_load, count.global);
    add(is_store ? to.local_store : to.local_load, count.local);
    add(is_store ? to.shared_store : to.shared_load, count.shared);
    if (site.mnemonic.starts_with("ldmatrix")) add(to.ldmatrix, count.shared);
  }
}

}  // namespace

LaunchRecord make_record(const Launch& launch, const RawCounts& counts,
                         const DeviceMemory& memory) {
  const Kernel& kernel = *launch.kernel;
  LaunchRecord record;
  record.kernel = kernel.demangled;
  record.mangled = kernel.name;
  record.grid = launch.grid;
  record.block = launch.block;
  record.shared_static = kernel.static_shared;
  record.shared_dynamic = launch.dynamic_shared;
  record.local_bytes = kernel.local_bytes;
  for (const auto& sizes : {launch.grid, launch.block})
    for (const uint32_t size : sizes) record.local_bytes *= size;
  record.compulsory_sectors = counts.compulsory_sectors;
  record.largest_block_instructions = counts.largest_block;
  record.device_bytes = memory.current_bytes();
  record.peak_device_bytes = memory.peak_bytes();
  record.seconds = counts.seconds;

  std::map<std::pair<uint32_t, int>, LineCounts> lines;
  for (size_t b = 0; b < kernel.blocks.size(); ++b) {
    const BlockCount& executed = counts.blocks[b];
    if (executed.warps == 0) continue;
    const BasicBlock& block = kernel.blocks[b];
    for (uint32_t s = block.first_site; s < block.first_site + block.site_count; ++s) {
      const Site& site = kernel.sites[s];
      const SiteCount& count = counts.sites[s];
      const uint64_t warps = executed.warps - count.idle_warps,
                     lanes = executed.lanes - count.idle_lanes;
      add(record, site, count, warps, lanes);
      add(lines[{site.file, site.line}], site, count, warps, lanes);
    }
  }
  for (auto& [key, line] : lines) {
    line.file = kernel.files.empty() ? "" : kernel.files[key.first];
    line.line = key.second;
    record.lines.push_back(std::move(line));
  }
  return record;
}

void add_resources(LaunchRecord& record, const KernelResources& resources,
                   const GpuProfile& profile) {
  const uint32_t threads = record.block[0] * record.block[1] * record.block[2];
  record.resources = resources;
  record.occupancy = occupancy(profile, static_cast<int>(threads), resources.registers,
                               record.shared_static + record.shared_dynamic);
}

}  // namespace vgpu
