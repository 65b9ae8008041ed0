#include "model/gpu.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <set>

namespace flashlab::model {
namespace {

namespace fs = std::filesystem;

/// One table of a profile. Every number in it must be there, above zero where zero makes no sense,
/// and known.
class Numbers {
 public:
  Numbers(const toml::table& profile, std::string file, const char* table)
      : file_(std::move(file)), name_(table), table_(profile[table].as_table()) {
    if (table_ == nullptr) throw ModelError(file_ + ": lacks the table [" + name_ + "]");
  }

  double positive(const char* key) {
    const double value = number(key);
    if (!(value > 0)) fail(key, "must be above 0");
    return value;
  }
  double number(const char* key) {
    read_.insert(key);
    const auto value = (*table_)[key].value<double>();
    if (!value) fail(key, table_->contains(key) ? "must be a number" : "is missing");
    if (!(*value >= 0)) fail(key, "must not be negative");
    return *value;
  }
  int integer(const char* key) { return static_cast<int>(positive(key)); }

  /// To be called when all numbers were read.
  void finish() const {
    for (const auto& [key, node] : *table_)
      if (!read_.contains(std::string(key.str()))) fail(std::string(key.str()), "is unknown");
  }

 private:
  [[noreturn]] void fail(const std::string& key, const char* what) const {
    throw ModelError(file_ + ": '" + key + "' in [" + name_ + "] " + what);
  }

  std::string file_, name_;
  const toml::table* table_;
  std::set<std::string> read_;
};

vgpu::GpuProfile limits_of(Numbers numbers) {
  vgpu::GpuProfile limits;
  limits.partitions = numbers.integer("partitions");
  limits.max_threads_per_multiprocessor = numbers.integer("warps") * 32;
  limits.max_blocks_per_multiprocessor = numbers.integer("blocks");
  limits.registers_per_multiprocessor = numbers.integer("registers");
  limits.register_allocation_unit = numbers.integer("register_unit");
  limits.shared_per_multiprocessor = static_cast<size_t>(numbers.positive("shared_bytes"));
  limits.shared_allocation_unit = static_cast<size_t>(numbers.positive("shared_unit"));
  limits.reserved_shared_per_block = static_cast<size_t>(numbers.number("shared_reserved"));
  numbers.finish();
  return limits;
}

void read_rates(GpuProfile& gpu, Numbers numbers) {
  gpu.issue = numbers.positive("issue");
  gpu.fma = numbers.positive("fma");
  gpu.integer = numbers.positive("integer");
  gpu.mufu = numbers.positive("mufu");
  gpu.fp64 = numbers.positive("double");
  gpu.tensor = numbers.positive("tensor");
  gpu.lsu = numbers.positive("lsu");
  gpu.shared_bytes_per_cycle = numbers.positive("shared_bytes_per_cycle");
  gpu.l2_bytes_per_cycle = numbers.positive("l2_bytes_per_cycle");
  numbers.finish();
}

void read_chip(GpuProfile& gpu, Numbers numbers) {
  gpu.limits.multiprocessors = numbers.integer("multiprocessors");
  gpu.clock_hz = numbers.positive("clock_hz");
  gpu.blocks_per_cycle = numbers.positive("blocks_per_cycle");
  gpu.dram_bytes_per_second = numbers.positive("dram_bytes_per_second");
  gpu.l2_bytes_per_second = numbers.positive("l2_bytes_per_second");
  gpu.l2_bytes = numbers.positive("l2_bytes");
  numbers.finish();
}

void read_latencies(GpuProfile& gpu, Numbers numbers) {
  gpu.arithmetic_latency = numbers.positive("arithmetic");
  gpu.shared_latency = numbers.positive("shared");
  gpu.l1_latency = numbers.positive("l1");
  gpu.l2_latency = numbers.positive("l2");
  gpu.dram_latency = numbers.positive("dram");
  numbers.finish();
}

toml::table parsed(const fs::path& file) {
  if (!fs::is_regular_file(file)) throw ModelError(file.string() + ": there is no such profile");
  try {
    return toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    throw ModelError(file.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description()));
  }
}

}  // namespace

GpuProfile load_gpu(const fs::path& file) {
  const toml::table profile = parsed(file);
  GpuProfile gpu;
  gpu.id = file.stem().string();
  const auto name = profile["name"].value<std::string>();
  if (!name) throw ModelError(file.string() + ": lacks 'name'");
  gpu.name = *name;
  const auto table = [&](const char* title) { return Numbers(profile, file.string(), title); };
  gpu.limits = limits_of(table("multiprocessor"));
  read_rates(gpu, table("rates"));
  read_chip(gpu, table("chip"));
  read_latencies(gpu, table("latencies"));
  Numbers launch = table("launch");
  gpu.floor_seconds = launch.positive("floor_seconds");
  launch.finish();
  return gpu;
}

std::vector<std::string> known_gpus(const fs::path& folder) {
  std::vector<std::string> ids;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".toml") ids.push_back(entry.path().stem().string());
  if (ids.empty()) throw ModelError(folder.string() + ": holds no GPU profiles (*.toml)");
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace flashlab::model
