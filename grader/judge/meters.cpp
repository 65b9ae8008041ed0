#include "meters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace flashlab::judge {
namespace {

using nlohmann::json;

constexpr double kSectorBytes = 32;

/// Keys of a launch record that are summed over launches, under the same names.
constexpr std::array kSummed = {
    "global_load_requests",   "global_load_sectors",     "global_load_bytes",
    "global_store_requests",  "global_store_sectors",    "global_store_bytes",
    "global_atomic_requests", "global_atomic_sectors",   "global_atomic_bytes",
    "async_copy_bytes",       "shared_load_conflicts",   "shared_store_conflicts",
    "shared_load_wavefronts", "shared_store_wavefronts", "compulsory_sectors",
    "warp_instructions",      "lane_instructions"};

double number(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) {
    throw std::runtime_error(std::string("the device's report has no number '") + key + "'");
  }
  const auto value = found->get<double>();
  if (!(value >= 0 && std::isfinite(value))) {
    throw std::runtime_error(std::string("the device's report has an impossible '") + key + "'");
  }
  return value;
}

json parse(std::string_view text) {
  json report = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object() || !report.contains("launches") || !report["launches"].is_array()) {
    throw std::runtime_error("the device's report is not the expected JSON");
  }
  return report;
}

void read_launches(const json& launches, std::map<std::string, double>& values) {
  for (const char* key : kSummed) values[key] = 0;
  values["local_bytes"] = 0;
  for (const json& launch : launches) {
    for (const char* key : kSummed) values[key] += number(launch, key);
    values["local_bytes"] = std::max(values["local_bytes"], number(launch, "local_bytes"));
  }
  values["launches"] = static_cast<double>(launches.size());
  values["distinct_bytes"] = kSectorBytes * values["compulsory_sectors"];
  const auto all_kinds = [&](const std::string& unit) {
    return values["global_load_" + unit] + values["global_store_" + unit] +
           values["global_atomic_" + unit];
  };
  // The virtual GPU counts the requests and sectors of cp.async as loads, and its bytes apart.
  values["requested_bytes"] = all_kinds("bytes") + values["async_copy_bytes"];
  values["sector_bytes"] = kSectorBytes * all_kinds("sectors");
  const double wavefronts = values["shared_load_wavefronts"] + values["shared_store_wavefronts"];
  const double conflicts = values["shared_load_conflicts"] + values["shared_store_conflicts"];
  values["shared_conflict_share"] = wavefronts > 0 ? conflicts / wavefronts : 0;
  for (const std::string kind : {"load", "store"}) {
    const double requests = values["global_" + kind + "_requests"];
    if (requests > 0) {
      values["sectors_per_" + kind + "_request"] = values["global_" + kind + "_sectors"] / requests;
    }
  }
}

// Whatever holds data between launches and is neither a tensor nor workspace. Memory of earlier
// calls is in the peaks too: they start from what is allocated when the call begins.
void read_memory(const json& report, double tensor_bytes, std::map<std::string, double>& values) {
  values["peak_device_bytes"] = number(report, "peak_device_bytes");
  values["host_mapped_bytes"] = number(report, "peak_host_mapped_bytes");
  for (const char* key : {"module_bytes", "host_copy_bytes"}) values[key] = number(report, key);
  const double allocated =
      std::max(0.0, values["peak_device_bytes"] - tensor_bytes - values["workspace_bytes"]);
  values["unmetered_bytes"] =
      allocated + values["host_mapped_bytes"] + values["module_bytes"] + values["host_copy_bytes"];
}

std::optional<Fault> read_fault(const json& report) {
  const auto found = report.find("fault");
  if (found == report.end() || !found->is_object()) return std::nullopt;
  const auto text = [&](const char* key) {
    const auto field = found->find(key);
    return field != found->end() && field->is_string() ? field->get<std::string>() : "";
  };
  return Fault{text("code"), text("report")};
}

std::vector<std::string> read_findings(const json& report) {
  std::vector<std::string> findings;
  const auto found = report.find("findings");
  if (found == report.end() || !found->is_array()) return findings;
  for (const json& finding : *found) {
    const auto text = finding.is_object() ? finding.find("report") : finding.end();
    if (text == finding.end() || !text->is_string()) {
      throw std::runtime_error("the device's report has an unreadable finding");
    }
    findings.push_back(text->get<std::string>());
  }
  return findings;
}

}  // namespace

std::optional<double> Meters::find(const std::string& name) const {
  const auto found = values.find(name);
  if (found == values.end()) return std::nullopt;
  return found->second;
}

Meters read_meters(const protocol::CaseReply& reply, std::string_view report,
                   uint64_t tensor_bytes) {
  Meters meters;
  auto& values = meters.values;
  values["workspace_bytes"] = static_cast<double>(reply.workspace_bytes);
  values["peak_device_bytes"] = static_cast<double>(reply.peak_device_bytes);
  values["launches"] = static_cast<double>(reply.launches);
  values["launched_threads"] = static_cast<double>(reply.launched_threads);
  if (std::isfinite(reply.host_seconds)) values["host_seconds"] = reply.host_seconds;
  if (std::isfinite(reply.event_seconds) && reply.event_seconds >= 0) {
    values["event_seconds"] = reply.event_seconds;
  }
  if (report.empty()) return meters;

  json parsed = parse(report);
  if (number(parsed, "resets") != static_cast<double>(reply.resets)) {
    throw std::runtime_error("they were wiped out. vgpuReset is for the grader alone");
  }
  read_launches(parsed["launches"], values);
  meters.launches = std::move(parsed["launches"]);
  meters.fault = read_fault(parsed);
  meters.findings = read_findings(parsed);
  read_memory(parsed, static_cast<double>(tensor_bytes), values);
  return meters;
}

}  // namespace flashlab::judge
