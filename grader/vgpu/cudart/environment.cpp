#include "cudart/environment.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "isa/isa.hpp"

namespace vgpu::cudart {
namespace {

std::string_view variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

template <typename Number>
void read_number(const char* name, Number& value, std::vector<std::string>& complaints) {
  std::string_view text = variable(name);
  if (text.empty()) return;
  Number parsed{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  if (whole && parsed >= 0 && std::isfinite(static_cast<double>(parsed)))
    value = parsed;
  else
    complaints.push_back(std::string(name) + "=" + std::string(text) +
                         " is not a number of 0 or more; it is ignored");
}

}  // namespace

Environment Environment::read() {
  Environment environment;
  read_number("VGPU_THREADS", environment.threads, environment.complaints);
  read_number("VGPU_DEVICE_MEMORY", environment.device_memory, environment.complaints);
  read_number("VGPU_TIMEOUT", environment.timeout_seconds, environment.complaints);
  environment.quiet = !variable("VGPU_QUIET").empty() && variable("VGPU_QUIET") != "0";

  const std::string_view compile = variable("VGPU_COMPILE");
  environment.compile = compile == "1";
  if (!compile.empty() && compile != "0" && compile != "1")
    environment.complaints.push_back("VGPU_COMPILE=" + std::string(compile) +
                                     " is not 0 or 1; it is ignored");

  try {
    environment.checks = checks_from_list(variable("VGPU_CHECK"));
  } catch (const std::invalid_argument& error) {
    environment.complaints.push_back(std::string("VGPU_CHECK: ") + error.what() +
                                     "; nothing is checked");
  }

  // Held by the table of instructions, which every kernel shares.
  if (std::string name(variable("VGPU_ISA")); !name.empty() && !isa::use_variant(name)) {
    environment.complaints.push_back(
        "VGPU_ISA=" + name +
        (name == "wide" ? " needs a processor with AVX-512" : " is not baseline or wide") +
        "; it is ignored");
  }

  std::string_view counters = variable("VGPU_COUNTERS");
  size_t colon = counters.find(':');
  std::string_view format = counters.substr(0, colon);
  if (colon != counters.npos) environment.counters_file = counters.substr(colon + 1);
  if (format == "table")
    environment.counters = Counters::Table;
  else if (format == "json")
    environment.counters = Counters::Json;
  else if (!counters.empty())
    environment.complaints.push_back("VGPU_COUNTERS=" + std::string(counters) +
                                     " is not table, json, table:FILE or json:FILE; it is ignored");
  return environment;
}

GpuProfile Environment::profile() const {
  GpuProfile profile;
  if (device_memory > 0) profile.global_memory = device_memory;
  return profile;
}

}  // namespace vgpu::cudart
