#include "report/json.hpp"

#include <cmath>

namespace vgpu::report {
namespace {

// The kinds of traffic that a launch or a line has none of are zeros, or left out.
enum class Zeros { Show, Omit };

void add(Json& object, const std::string& name, uint64_t count, Zeros zeros) {
  if (count != 0 || zeros == Zeros::Show) object[name] = count;
}

void add(Json& object, const std::string& name, const Traffic& traffic, Zeros zeros) {
  if (traffic.requests == 0 && zeros == Zeros::Omit) return;
  object[name + "_requests"] = traffic.requests;
  object[name + "_sectors"] = traffic.sectors;
  object[name + "_bytes"] = traffic.bytes;
}

void add(Json& object, const std::string& name, const SharedTraffic& traffic, Zeros zeros) {
  if (traffic.requests == 0 && zeros == Zeros::Omit) return;
  object[name + "_requests"] = traffic.requests;
  object[name + "_wavefronts"] = traffic.wavefronts;
  object[name + "_conflicts"] = traffic.conflicts;
}

Json by_class(const std::array<uint64_t, kInstructionClasses>& counts) {
  Json object = Json::object();
  for (size_t i = 0; i < kInstructionClasses; ++i)
    if (counts[i] != 0) object[to_string(static_cast<InstructionClass>(i))] = counts[i];
  return object;
}

void add(Json& object, const Counts& counts, Zeros zeros) {
  object["warp_instructions"] = counts.warp_instructions;
  object["lane_instructions"] = counts.lane_instructions;
  object["warp_instructions_by_class"] = by_class(counts.warp_by_class);
  object["lane_instructions_by_class"] = by_class(counts.lane_by_class);
  add(object, "global_load", counts.global_load, zeros);
  add(object, "global_store", counts.global_store, zeros);
  add(object, "global_atomic", counts.global_atomic, zeros);
  add(object, "local_load", counts.local_load, zeros);
  add(object, "local_store", counts.local_store, zeros);
  add(object, "shared_load", counts.shared_load, zeros);
  add(object, "shared_store", counts.shared_store, zeros);
  add(object, "shared_atomic", counts.shared_atomic, zeros);
  add(object, "ldmatrix", counts.ldmatrix, zeros);
  add(object, "async_copy_bytes", counts.async_copy_bytes, zeros);
  add(object, "async_copy_shared", counts.async_copy, zeros);
  add(object, "branches", counts.branches, zeros);
  add(object, "divergent_branches", counts.divergent_branches, zeros);
  add(object, "barriers", counts.barriers, zeros);
}

Json to_json(const LineCounts& line) {
  Json object;
  object["file"] = line.file;
  object["line"] = line.line;
  add(object, line, Zeros::Omit);
  return object;
}

void add_resources(Json& object, const LaunchRecord& record) {
  const auto& resources = record.resources;
  const auto known = [&](auto value) { return resources ? Json(value) : Json(); };
  const KernelResources of_kernel = resources.value_or(KernelResources{});
  object["registers_per_thread"] = known(of_kernel.registers);
  object["stack_bytes"] = known(of_kernel.stack_bytes);
  object["spill_store_bytes"] = known(of_kernel.spill_store_bytes);
  object["spill_load_bytes"] = known(of_kernel.spill_load_bytes);
  for (const char* key :
       {"blocks_per_multiprocessor", "occupancy", "blocks_allowed_by", "occupancy_limited_by"})
    object[key] = nullptr;
  if (!record.occupancy) return;
  const Occupancy& occupancy = *record.occupancy;
  object["blocks_per_multiprocessor"] = occupancy.blocks;
  object["occupancy"] = occupancy.fraction;
  Json& allowed = object["blocks_allowed_by"] = {{"registers", occupancy.by_registers},
                                                 {"shared_memory", occupancy.by_shared_memory},
                                                 {"warps", occupancy.by_warps},
                                                 {"blocks", occupancy.by_blocks}};
  Json limits = Json::array();
  for (const auto& [name, blocks] : allowed.items())
    if (blocks == occupancy.blocks) limits.push_back(name);
  object["occupancy_limited_by"] = std::move(limits);
}

}  // namespace

Json to_json(const LaunchRecord& record) {
  Json object;
  object["kernel"] = record.kernel;
  object["mangled"] = record.mangled;
  object["grid"] = record.grid;
  object["block"] = record.block;
  object["shared_static_bytes"] = record.shared_static;
  object["shared_dynamic_bytes"] = record.shared_dynamic;
  object["local_bytes"] = record.local_bytes;
  add_resources(object, record);
  add(object, record, Zeros::Show);
  object["compulsory_sectors"] = record.compulsory_sectors;
  object["largest_block_instructions"] = record.largest_block_instructions;
  object["device_bytes"] = record.device_bytes;
  object["peak_device_bytes"] = record.peak_device_bytes;
  object["seconds"] = std::isfinite(record.seconds) ? record.seconds : 0.0;
  Json& lines = object["lines"] = Json::array();
  for (const LineCounts& line : record.lines) lines.push_back(to_json(line));
  return object;
}

Json to_json(const std::vector<LaunchRecord>& records) {
  Json array = Json::array();
  for (const LaunchRecord& record : records) array.push_back(to_json(record));
  return array;
}

std::string text(const Json& document, int indent) {
  return document.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vgpu::report
