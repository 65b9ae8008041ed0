#include "report/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace vgpu::report {
namespace {

constexpr size_t kLongestName = 40;  // characters of a kernel's name that are shown

std::string with_separators(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

/// "void flash<64>(float const*, int)" -> "flash<64>": without result type and parameters, cut when
/// it is very long.
std::string short_name(const std::string& kernel) {
  size_t end = kernel.size(), begin = 0;
  int depth = 0;
  if (kernel.ends_with(')')) do {
      --end;
      depth += kernel[end] == ')' ? 1 : kernel[end] == '(' ? -1 : 0;
    } while (depth != 0 && end > 0);
  for (size_t i = 0; i < end; ++i) {
    if (kernel[i] == '<' || kernel[i] == '(') ++depth;
    if (kernel[i] == '>' || kernel[i] == ')') --depth;
    if (kernel[i] == ' ' && depth == 0) begin = i + 1;
  }
  std::string name = kernel.substr(begin, end - begin);
  return name.size() <= kLongestName ? name : name.substr(0, kLongestName - 3) + "...";
}

struct Row {
  std::string kernel;
  uint64_t launches = 0, lane_instructions = 0;
  Traffic load, store;
  uint64_t atomic_requests = 0, load_conflicts = 0, store_conflicts = 0, divergent = 0, peak = 0;
  std::optional<KernelResources> resources;
  std::optional<double> occupancy;  // the lowest of the launches

  void add(const LaunchRecord& record) {
    if (record.resources) resources = record.resources;
    if (record.occupancy) occupancy = std::min(occupancy.value_or(1), record.occupancy->fraction);
    ++launches;
    lane_instructions += record.lane_instructions;
    add(load, record.global_load);
    add(store, record.global_store);
    atomic_requests += record.global_atomic.requests;
    load_conflicts += record.shared_load.conflicts;
    store_conflicts += record.shared_store.conflicts;
    divergent += record.divergent_branches;
    peak = std::max(peak, record.peak_device_bytes);
  }

 private:
  static void add(Traffic& sum, const Traffic& traffic) {
    sum.requests += traffic.requests;
    sum.sectors += traffic.sectors;
    sum.bytes += traffic.bytes;
  }
};

std::vector<Row> merge(const std::vector<LaunchRecord>& records) {
  std::vector<Row> rows;
  for (const LaunchRecord& record : records) {
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const Row& r) { return r.kernel == record.kernel; });
    if (row == rows.end()) {
      rows.emplace_back().kernel = record.kernel;
      row = std::prev(rows.end());
    }
    row->add(record);
  }
  return rows;
}

using Cells = std::array<std::string, 16>;

// Two heading lines: what is counted, and in what.
const Cells kHeading1 = {"",
                         "",
                         "lane",
                         "global load",
                         "global load",
                         "global load",
                         "global store",
                         "global store",
                         "global store",
                         "global atomic",
                         "shared load",
                         "shared store",
                         "divergent",
                         "registers",
                         "spilled",
                         ""};
const Cells kHeading2 = {"kernel",   "launches",   "instructions", "requests",
                         "sectors",  "bytes",      "requests",     "sectors",
                         "bytes",    "requests",   "conflicts",    "conflicts",
                         "branches", "per thread", "bytes",        "occupancy"};

// What is not known is a dash.
Cells cells_of(const Row& row) {
  const auto& used = row.resources;
  const uint64_t spilled = used ? used->spill_store_bytes + used->spill_load_bytes : 0;
  return {short_name(row.kernel),
          with_separators(row.launches),
          with_separators(row.lane_instructions),
          with_separators(row.load.requests),
          with_separators(row.load.sectors),
          with_separators(row.load.bytes),
          with_separators(row.store.requests),
          with_separators(row.store.sectors),
          with_separators(row.store.bytes),
          with_separators(row.atomic_requests),
          with_separators(row.load_conflicts),
          with_separators(row.store_conflicts),
          with_separators(row.divergent),
          used ? std::to_string(used->registers) : "-",
          used ? with_separators(spilled) : "-",
          row.occupancy ? std::to_string(std::lround(100 * *row.occupancy)) + " %" : "-"};
}

}  // namespace

std::string table(const std::vector<LaunchRecord>& records) {
  if (records.empty()) return "vgpu: no kernel was launched\n";
  std::vector<Cells> lines = {kHeading1, kHeading2};
  uint64_t peak = 0;
  for (const Row& row : merge(records)) {
    lines.push_back(cells_of(row));
    peak = std::max(peak, row.peak);
  }
  std::array<size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());

  std::string text;
  for (const Cells& line : lines) {
    std::string padded = line[0] + std::string(widths[0] - line[0].size(), ' ');
    for (size_t i = 1; i < line.size(); ++i)
      padded += "  " + std::string(widths[i] - line[i].size(), ' ') + line[i];
    text += padded + "\n";
  }
  return text + "peak device memory: " + with_separators(peak) + " bytes\n";
}

}  // namespace vgpu::report
