// Meter readings of one case: from the worker's reply and the virtual GPU's report, both of which
// are hostile input.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lab.hpp"
#include "worker/protocol.hpp"

namespace flashlab::judge {

/// What the virtual GPU says went wrong on the device.
struct Fault {
  std::string code, report;
};

struct Meters {
  /// Readings by name. Always: workspace_bytes, peak_device_bytes, host_seconds; event_seconds when
  /// known. On the virtual GPU also: launches, unmetered_bytes (device memory beyond tensors and
  /// workspace), global_load_* and global_store_* (requests, sectors, bytes), distinct_bytes (32 *
  /// distinct sectors, per launch, summed), requested_bytes, sector_bytes (32 * sectors),
  /// sectors_per_load_request, sectors_per_store_request, shared_conflicts, warp_instructions,
  /// lane_instructions, kernel_seconds (of the simulation).
  std::map<std::string, double> values;
  std::optional<Fault> fault;

  std::optional<double> find(const std::string& name) const;
};

/// Reads the meters of one reply. `report` is the JSON text, empty on a real GPU. Throws
/// std::runtime_error with one line when the text is not what vgpuReport writes.
Meters read_meters(const protocol::CaseReply& reply, std::string_view report, const Shape& shape);

}  // namespace flashlab::judge
