#include "report/json.hpp"

#include <cmath>

namespace vgpu::report {
namespace {

void add(Json& object, const std::string& name, const Traffic& traffic) {
  object[name + "_requests"] = traffic.requests;
  object[name + "_sectors"] = traffic.sectors;
  object[name + "_bytes"] = traffic.bytes;
}

void add(Json& object, const std::string& name, const SharedTraffic& traffic) {
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

Json to_json(const LineCounts& line) {
  Json object;
  object["file"] = line.file;
  object["line"] = line.line;
  object["warp_instructions"] = line.warp_instructions;
  object["lane_instructions"] = line.lane_instructions;
  add(object, "global_load", line.global_load);
  add(object, "global_store", line.global_store);
  add(object, "shared_load", line.shared_load);
  add(object, "shared_store", line.shared_store);
  return object;
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
  object["warp_instructions"] = record.warp_instructions;
  object["lane_instructions"] = record.lane_instructions;
  object["warp_instructions_by_class"] = by_class(record.warp_by_class);
  object["lane_instructions_by_class"] = by_class(record.lane_by_class);
  add(object, "global_load", record.global_load);
  add(object, "global_store", record.global_store);
  add(object, "global_atomic", record.global_atomic);
  add(object, "local_load", record.local_load);
  add(object, "local_store", record.local_store);
  add(object, "shared_load", record.shared_load);
  add(object, "shared_store", record.shared_store);
  add(object, "shared_atomic", record.shared_atomic);
  object["async_copy_bytes"] = record.async_copy_bytes;
  add(object, "async_copy_shared", record.async_copy);
  object["branches"] = record.branches;
  object["divergent_branches"] = record.divergent_branches;
  object["barriers"] = record.barriers;
  object["compulsory_sectors"] = record.compulsory_sectors;
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
