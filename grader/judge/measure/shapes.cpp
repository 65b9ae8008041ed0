#include "measure/shapes.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "text.hpp"

namespace flashlab::judge {
namespace {

using nlohmann::json;

constexpr double kLabWork = 512.0 * 512 * 64;  // what the limits of lab.toml are made for
constexpr double kFullyChecked = 4 * 1024.0 * 1024 * 64;  // about 0.1 s of the reference
constexpr size_t kCheckedRows = 64;                       // of a larger problem
constexpr uint64_t kBytesPerScore = 16;                   // S and P of a naive kernel, twice

double work_of(const Shape& shape) {
  return static_cast<double>(shape.scores()) * shape.head_dim;
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw EnvironmentError("--shapes: " + file.string() + ": " + what);
}

Wanted read_one(const json& object, const Lab& lab) {
  static constexpr const char* kKnown[] = {"entry",    "batch",  "heads", "seq_q",     "seq_k",
                                           "head_dim", "causal", "scale", "check_rows"};
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(kKnown, key) == std::end(kKnown)) {
      throw std::invalid_argument("unknown key '" + key + "'");
    }
  }
  const auto given = [&](const char* key) {
    const auto found = object.find(key);
    return found != object.end() && !found->is_null();
  };
  const auto size = [&](const char* key, int otherwise) {
    const int value = given(key) ? object.at(key).get<int>() : otherwise;
    if (value < 1) throw std::invalid_argument(std::string(key) + " is missing or below 1");
    return value;
  };
  Wanted wanted;
  CaseSpec& spec = wanted.spec;
  spec.name = "measure";
  spec.group = "speed";
  spec.speed = true;
  spec.inputs = lab.recipes.at("normal");
  Shape& shape = spec.shape;
  shape.batch = size("batch", 1);
  shape.heads = size("heads", 1);
  shape.seq_q = size("seq_q", 0);
  shape.seq_k = size("seq_k", shape.seq_q);
  shape.head_dim = size("head_dim", 0);
  shape.causal = given("causal") && object.at("causal").get<bool>();
  shape.scale =
      given("scale") ? object.at("scale").get<float>() : 1 / std::sqrt(1.0f * shape.head_dim);
  if (given("check_rows")) wanted.check_rows = static_cast<size_t>(size("check_rows", 0));
  if (given("entry")) {
    const auto name = object.at("entry").get<std::string>();
    const auto entry = std::ranges::find(lab.entries, name, &Entry::name);
    if (entry == lab.entries.end()) throw std::invalid_argument("unknown entry '" + name + "'");
    spec.entry = static_cast<size_t>(entry - lab.entries.begin());
  }
  return wanted;
}

}  // namespace

std::vector<Wanted> read_shapes(const std::filesystem::path& file, const Lab& lab) {
  const json list = json::parse(std::ifstream(file), nullptr, /*allow_exceptions=*/false);
  if (!list.is_array() || list.empty()) refuse(file, "is no JSON array of shapes");
  std::vector<Wanted> all;
  for (size_t i = 0; i < list.size(); ++i) {
    try {
      all.push_back(read_one(list[i], lab));
    } catch (const std::exception& error) {
      refuse(file, format("shape %zu: %s", i + 1, error.what()));
    }
  }
  return all;
}

Lab scaled_limits(const Lab& lab, const Shape& shape) {
  Lab scaled = lab;
  const double factor = std::max(1.0, work_of(shape) / kLabWork);
  scaled.case_seconds *= factor;
  scaled.launch_seconds *= factor;
  scaled.workspace_bytes += kBytesPerScore * shape.scores();
  return scaled;
}

std::optional<size_t> default_rows(const Shape& shape) {
  if (work_of(shape) <= kFullyChecked) return std::nullopt;
  return kCheckedRows;
}

}  // namespace flashlab::judge
