// Launch records as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "observe/counters.hpp"

namespace vgpu::report {

using Json = nlohmann::ordered_json;  // keys in the order in which they are written

/// One object per launch: `kernel`, `grid`, `block`, `global_load_requests`, ... All counts are
/// integers; an instruction class that did not occur is absent. `lines` has one object per source
/// line that executed something, with the counts of a launch but those that are zero. Registers and
/// occupancy are null where the record has none.
Json to_json(const LaunchRecord& record);
Json to_json(const std::vector<LaunchRecord>& records);

/// Strict JSON text. Bytes that are not UTF-8 (they can only come from names and paths) become
/// U+FFFD.
std::string text(const Json& document, int indent = -1);

}  // namespace vgpu::report
