#include "model/work.hpp"

#include <algorithm>

#include "model/gpu.hpp"

namespace flashlab::model {
namespace {

using nlohmann::json;

class Record {
 public:
  Record(const json& record, size_t index) : record_(record), where_(std::to_string(index)) {
    if (!record.is_object()) fail("is no object");
    const auto kernel = record.find("kernel");
    if (kernel == record.end() || !kernel->is_string()) fail("lacks 'kernel'");
    name_ = kernel->get<std::string>();
    where_ += " (" + name_ + ")";
  }

  const std::string& kernel() const { return name_; }

  double count(const char* key) const {
    const auto value = record_.find(key);
    if (value == record_.end() || !value->is_number() || !(value->get<double>() >= 0))
      fail("lacks the count '" + std::string(key) + "'");
    return value->get<double>();
  }
  double product(const char* key) const {
    const auto value = record_.find(key);
    if (value == record_.end() || !value->is_array() || value->size() != 3)
      fail("lacks '" + std::string(key) + "'");
    double product = 1;
    for (const json& size : *value) {
      if (!size.is_number() || !(size.get<double>() >= 1))
        fail("has a '" + std::string(key) + "' that is not three sizes");
      product *= size.get<double>();
    }
    return product;
  }
  /// Warp instructions of some classes together.
  double executed(std::initializer_list<const char*> classes) const {
    const auto counts = record_.find("warp_instructions_by_class");
    if (counts == record_.end() || !counts->is_object()) fail("lacks 'warp_instructions_by_class'");
    double sum = 0;
    for (const char* name : classes) {
      const auto count = counts->find(name);
      if (count == counts->end()) continue;
      if (!count->is_number()) fail("has no number of '" + std::string(name) + "' instructions");
      sum += count->get<double>();
    }
    return sum;
  }
  int registers() const {
    const auto value = record_.find("registers_per_thread");
    if (value == record_.end() || !value->is_number())
      fail("has no registers: ptxas was not found when it was counted");
    return value->get<int>();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ModelError("launch " + where_ + " " + what);
  }

  const json& record_;
  std::string name_, where_;
};

}  // namespace

Work work_of(const json& document, size_t index) {
  const Record record(document, index);
  Work work;
  work.kernel = record.kernel();
  work.blocks = record.product("grid");
  work.threads = static_cast<int>(record.product("block"));
  work.registers = record.registers();
  work.shared_bytes = static_cast<size_t>(record.count("shared_static_bytes") +
                                          record.count("shared_dynamic_bytes"));

  Instructions& instructions = work.instructions;
  instructions.fp32 = record.executed({"float32", "fma32"});
  instructions.special = record.executed({"special"});
  instructions.fp64 = record.executed({"float64"});
  instructions.half = record.executed({"half"});
  instructions.matrix = record.executed({"matrix"});
  instructions.integer = record.executed({"integer", "predicate", "convert", "move"});
  instructions.memory =
      record.executed({"load_global", "store_global", "load_shared", "store_shared", "load_local",
                       "store_local", "atomic", "async"});
  work.shuffles = record.executed({"warp"});
  instructions.other = record.executed({"control", "barrier", "other"}) + work.shuffles;

  work.shared_loads = record.count("shared_load_requests");
  work.shared_load_wavefronts = record.count("shared_load_wavefronts");
  work.other_shared_wavefronts = record.count("shared_store_wavefronts") +
                                 record.count("shared_atomic_wavefronts") +
                                 record.count("async_copy_shared_wavefronts");
  work.global_loads = record.count("global_load_requests");
  work.load_sectors = record.count("global_load_sectors");
  work.load_bytes = record.count("global_load_bytes");
  work.copied_bytes = record.count("async_copy_bytes");
  work.global_stores = record.count("global_store_requests");
  work.store_sectors = record.count("global_store_sectors");
  work.store_bytes = record.count("global_store_bytes");
  work.atomics = record.count("global_atomic_requests");
  work.atomic_sectors = record.count("global_atomic_sectors");
  work.local_requests = record.count("local_load_requests") + record.count("local_store_requests");
  work.local_sectors = record.count("local_load_sectors") + record.count("local_store_sectors");
  work.compulsory_sectors = record.count("compulsory_sectors");
  work.copies = record.count("async_copy_shared_requests");
  work.branches = record.count("branches");
  work.barriers = record.count("barriers");
  const double executed = record.count("warp_instructions");
  if (executed > 0)
    work.imbalance =
        std::max(1.0, record.count("largest_block_instructions") * work.blocks / executed);
  return work;
}

}  // namespace flashlab::model
