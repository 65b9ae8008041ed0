// Meter readings of one case: from the worker's reply and the virtual GPU's report, both of which
// are hostile input.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/protocol.hpp"

namespace flashlab::judge {

/// What the virtual GPU says went wrong on the device.
struct Fault {
  std::string code, report;
};

struct Meters {
  /// Readings by name; README.md lists them. On a real GPU there are no counts.
  std::map<std::string, double> values;
  std::optional<Fault> fault;
  nlohmann::json launches;            ///< the virtual GPU's launch records; null on a real GPU
  std::vector<std::string> findings;  ///< what the checks of the virtual GPU found, when they ran

  std::optional<double> find(const std::string& name) const;
};

/// Reads the meters of one reply. `report` is the JSON text, empty on a real GPU; `tensor_bytes` is
/// what the parameters of the entry point take. Throws std::runtime_error with one line when the
/// text is not what vgpuReport writes.
Meters read_meters(const protocol::CaseReply& reply, std::string_view report,
                   uint64_t tensor_bytes);

}  // namespace flashlab::judge
