// A measurement as one line of JSON, kept as soon as it is made.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "measure/call.hpp"
#include "measure/shapes.hpp"

namespace flashlab::judge {

/// The record of one shape, without "modelled" and "timing"; README.md has its fields.
nlohmann::ordered_json to_record(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                                 const protocol::Hello& device, const Call& call);

/// Appends `record` as one line; it is on the disk when this returns. Throws EnvironmentError.
void append_line(const std::filesystem::path& file, const nlohmann::ordered_json& record);

}  // namespace flashlab::judge
