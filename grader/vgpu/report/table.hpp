// Launch records as a table for people.
#pragma once

#include <string>
#include <vector>

#include "observe/counters.hpp"

namespace vgpu::report {

/// One row per kernel name, in the order of the first launch; the counts of all its launches are
/// added, the occupancy is the lowest. Columns are aligned, numbers have thousands separators
/// ("1,048,576"). Ends with a newline.
std::string table(const std::vector<LaunchRecord>& records);

}  // namespace vgpu::report
