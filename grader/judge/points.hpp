// From meter readings to points: every limit of a case holds, or the case fails.
#pragma once

#include <optional>
#include <string>

#include "lab.hpp"
#include "meters.hpp"

namespace flashlab::judge {

/// Whether a limit may name this meter.
bool is_limitable(const std::string& meter);

/// The first limit that a reading breaks, told with reading, bound and advice; nothing when all
/// hold. A meter that this device does not have is not judged.
std::optional<std::string> find_broken_limit(const CaseSpec& spec, const Meters& meters);

}  // namespace flashlab::judge
