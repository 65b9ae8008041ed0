#include "lab.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>
#include <set>

#include "formula.hpp"
#include "kinds.hpp"
#include "model/gpu.hpp"
#include "points.hpp"

namespace flashlab::judge {
namespace {

/// A TOML table that knows which of its keys were read, so that a misspelt one is an error and not
/// a silent default.
class Reader {
 public:
  Reader(const toml::table& table, std::string file, std::string where)
      : table_(table), file_(std::move(file)), where_(std::move(where)) {}

  template <class T>
  T need(const std::string& key) {
    if (!table_.contains(key)) fail("lacks '" + key + "'");
    return get<T>(key, T{});
  }

  template <class T>
  T get(const std::string& key, T otherwise) {
    read_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return otherwise;
    const auto value = node->value<T>();
    if (!value) fail("'" + key + "' has the wrong type");
    return *value;
  }

  Reader table(const std::string& key) {
    read_.insert(key);
    const toml::table* table = table_[key].as_table();
    if (table == nullptr) fail("lacks the table '" + key + "'");
    return {*table, file_, where_ + "." + key};
  }

  const toml::array& array(const std::string& key) {
    read_.insert(key);
    const toml::array* array = table_[key].as_array();
    if (array == nullptr) fail("lacks the array '" + key + "'");
    return *array;
  }

  bool has(const std::string& key) const { return table_.contains(key); }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, node] : table_) keys.emplace_back(key.str());
    return keys;
  }
  Reader element(const toml::node& node, const std::string& where) const {
    if (!node.is_table()) fail("has something else than a table in '" + where + "'");
    return {*node.as_table(), file_, where};
  }

  /// To be called when all known keys were read.
  void finish() const {
    for (const std::string& key : keys()) {
      if (!read_.contains(key)) fail("has the unknown key '" + key + "'");
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw EnvironmentError(file_ + ":" + std::to_string(table_.source().begin.line) + ": " +
                           where_ + " " + what);
  }

 private:
  const toml::table& table_;
  std::string file_, where_;
  std::set<std::string> read_;
};

InputRecipe read_recipe(Reader reader) {
  InputRecipe recipe;
  recipe.q_mean = reader.get("q_mean", recipe.q_mean);
  recipe.q_sigma = reader.get("q_sigma", recipe.q_sigma);
  recipe.k_mean = reader.get("k_mean", recipe.k_mean);
  recipe.k_sigma = reader.get("k_sigma", recipe.k_sigma);
  recipe.v_mean = reader.get("v_mean", recipe.v_mean);
  recipe.v_sigma = reader.get("v_sigma", recipe.v_sigma);
  recipe.spike_probability = reader.get("spike_probability", recipe.spike_probability);
  recipe.spike_sigma = reader.get("spike_sigma", recipe.spike_sigma);
  recipe.k_growth = reader.get("k_growth", recipe.k_growth);
  recipe.s_mean = reader.get("s_mean", recipe.s_mean);
  recipe.s_sigma = reader.get("s_sigma", recipe.s_sigma);
  recipe.s_growth = reader.get("s_growth", recipe.s_growth);
  recipe.masked_probability = reader.get("masked_probability", recipe.masked_probability);
  recipe.masked_every = reader.get("masked_every", recipe.masked_every);
  if (reader.has("values")) {
    Reader values = reader.table("values");
    for (const std::string& name : values.keys()) {
      for (const toml::node& node : values.array(name)) {
        const auto value = node.value<float>();
        if (!value) values.fail("'" + name + "' has something else than numbers");
        recipe.values[name].push_back(*value);
      }
    }
  }
  reader.finish();
  return recipe;
}

Shape read_shape(Reader reader) {
  Shape shape;
  shape.batch = reader.get("batch", 1);
  shape.heads = reader.get("heads", 1);
  shape.seq_q = reader.need<int>("seq_q");
  shape.seq_k = reader.need<int>("seq_k");
  shape.head_dim = reader.need<int>("head_dim");
  for (const int size : {shape.batch, shape.heads, shape.seq_q, shape.seq_k, shape.head_dim}) {
    if (size < 1) reader.fail("has a size below 1");
  }
  shape.causal = reader.get("causal", false);
  shape.scale = static_cast<float>(reader.get("scale", 1.0 / std::sqrt(shape.head_dim)));
  reader.finish();
  return shape;
}

Limit read_limit(Reader reader, const Shape& shape) {
  Limit limit;
  limit.meter = reader.need<std::string>("meter");
  if (!is_limitable(limit.meter)) reader.fail("names the unknown meter '" + limit.meter + "'");
  limit.at_most = reader.get<std::string>("at_most", "");
  limit.at_least = reader.get<std::string>("at_least", "");
  limit.hint = reader.get<std::string>("hint", "");
  if (limit.at_most.empty() && limit.at_least.empty()) reader.fail("bounds nothing");
  try {
    for (const std::string& formula : {limit.at_most, limit.at_least}) {
      if (!formula.empty()) evaluate(formula, shape);
    }
  } catch (const std::invalid_argument& error) {
    reader.fail(std::string("has an unusable limit: ") + error.what());
  }
  reader.finish();
  return limit;
}

CaseSpec read_case(Reader reader, const Lab& lab) {
  CaseSpec spec;
  spec.name = reader.need<std::string>("name");
  spec.group = reader.need<std::string>("group");
  spec.points = reader.need<double>("points");
  spec.hint = reader.get<std::string>("hint", "");
  spec.shape = read_shape(reader.table("shape"));
  const auto entry_name = reader.get("entry", lab.entries.front().name);
  const auto entry = std::ranges::find(lab.entries, entry_name, &Entry::name);
  if (entry == lab.entries.end()) reader.fail("names the unknown entry '" + entry_name + "'");
  spec.entry = static_cast<size_t>(entry - lab.entries.begin());
  const auto recipe = lab.recipes.find(reader.get<std::string>("inputs", "normal"));
  if (recipe == lab.recipes.end()) reader.fail("names unknown inputs");
  spec.inputs = recipe->second;
  if (reader.has("device")) {
    const auto device = reader.need<std::string>("device");
    if (device != "vgpu" && device != "cuda")
      reader.fail("has the unknown device '" + device + "'");
    spec.only_on = device == "vgpu" ? DeviceKind::kVirtual : DeviceKind::kCuda;
  }
  if (reader.has("limits")) {
    for (const toml::node& node : reader.array("limits")) {
      spec.limits.push_back(read_limit(reader.element(node, spec.name + ".limits"), spec.shape));
    }
  }
  spec.checks = reader.get("checks", false);
  spec.speed = reader.get("speed", false);
  if (spec.speed) {
    spec.staff_seconds = reader.need<double>("staff_seconds");
    if (!(spec.staff_seconds > 0)) reader.fail("has staff_seconds that are not above 0");
    spec.measured_shape = read_shape(reader.table("measured_shape"));
    if (lab.speed.profile.empty()) reader.fail("is about speed, but there is no table 'speed'");
  }
  if (spec.checks) spec.only_on = DeviceKind::kVirtual;  // a real GPU has no such checks
  reader.finish();
  return spec;
}

void read_limits(Reader reader, Lab& lab) {
  lab.start_seconds = reader.need<double>("start_seconds");
  lab.case_seconds = reader.need<double>("case_seconds");
  lab.launch_seconds = reader.need<double>("launch_seconds");
  lab.hangs = reader.need<int>("hangs");
  lab.workspace_bytes = reader.need<uint64_t>("workspace_bytes");
  lab.memory_bytes = reader.need<uint64_t>("memory_bytes");
  lab.device_memory_bytes = reader.need<uint64_t>("device_memory_bytes");
  lab.results_per_thread = reader.need<double>("results_per_thread");
  if (!(lab.results_per_thread > 0)) reader.fail("has results_per_thread that are not above 0");
  lab.host_copy_bytes = reader.need<uint64_t>("host_copy_bytes");
  reader.finish();
}

void read_judgement(Reader tolerance, Reader diagnosis, Lab& lab) {
  lab.tolerance = {tolerance.need<double>("absolute"), tolerance.need<double>("eps_factor"),
                   tolerance.need<double>("relative")};
  tolerance.finish();
  lab.diagnosis.match_factor = diagnosis.need<double>("match_factor");
  lab.diagnosis.match_fraction = diagnosis.need<double>("match_fraction");
  lab.diagnosis.near_miss = diagnosis.need<double>("near_miss");
  lab.diagnosis.checked_instructions = diagnosis.need<double>("checked_instructions");
  for (const toml::node& node : diagnosis.array("tiles")) {
    lab.diagnosis.tiles.push_back(node.value_or(0));
    if (lab.diagnosis.tiles.back() < 1) diagnosis.fail("has a tile below 1");
  }
  diagnosis.finish();
}

SpeedRule read_speed(Reader reader) {
  SpeedRule rule;
  rule.profile = reader.need<std::string>("profile");
  const std::vector<std::string> known = model::known_gpus(GPU_PROFILES);
  if (std::ranges::find(known, rule.profile) == known.end()) {
    reader.fail("names the unknown GPU '" + rule.profile + "'");
  }
  rule.full = reader.need<double>("full");
  rule.none = reader.need<double>("none");
  rule.step = reader.need<double>("step");
  rule.grey = reader.need<double>("grey");
  rule.case_seconds = reader.need<double>("case_seconds");
  rule.calls = reader.need<int>("calls");
  rule.repeats = reader.need<int>("repeats");
  if (!(rule.full >= 1 && rule.none > rule.full)) reader.fail("needs 1 <= full < none");
  if (!(rule.step > 0 && rule.grey >= 0 && rule.grey < 1 && rule.case_seconds > 0 &&
        rule.calls >= 1 && rule.repeats >= 1)) {
    reader.fail("has a step, grey, case_seconds, calls or repeats that cannot be used");
  }
  reader.finish();
  return rule;
}

Lab read_lab(const toml::table& table, const std::string& file) {
  Reader root(table, file, "lab.toml");
  if (root.need<int>("schema") != 1) root.fail("has a schema other than 1");
  Lab lab;
  Reader head = root.table("lab");
  lab.id = head.need<std::string>("id");
  lab.title = head.need<std::string>("title");
  for (const toml::node& node : head.array("entries")) {
    Reader entry = head.element(node, "lab.entries");
    lab.entries.push_back({entry.need<std::string>("name"), entry.need<std::string>("kind")});
    if (find_kind(lab.entries.back().kind) == nullptr) {
      entry.fail("has the unknown kind '" + lab.entries.back().kind + "'");
    }
    entry.finish();
  }
  if (lab.entries.empty()) head.fail("has no entries");
  lab.rerun = head.need<std::string>("rerun");
  for (const char* key : {"handout", "source"}) head.need<std::string>(key);  // for `flashlab`
  head.need<bool>("speed_graded");
  head.finish();

  read_limits(root.table("limits"), lab);
  read_judgement(root.table("tolerance"), root.table("diagnosis"), lab);
  Reader sections = root.table("sections");
  for (const char* topic : {"not_implemented", "debugging"}) sections.need<std::string>(topic);
  for (const Entry& entry : lab.entries) {
    for (const char* topic : find_kind(entry.kind)->topics) sections.need<std::string>(topic);
  }
  for (const std::string& topic : sections.keys()) {
    lab.sections[topic] = sections.need<std::string>(topic);
  }
  sections.finish();

  Reader inputs = root.table("inputs");
  for (const std::string& name : inputs.keys()) lab.recipes[name] = read_recipe(inputs.table(name));

  if (root.has("speed")) lab.speed = read_speed(root.table("speed"));
  std::set<std::string> names;
  for (const toml::node& node : root.array("case")) {
    lab.cases.push_back(read_case(root.element(node, "case"), lab));
    const CaseSpec& spec = lab.cases.back();
    if (!names.insert(spec.name).second) root.fail("has two cases named '" + spec.name + "'");
    // What is not the result fails with the handout section of its group.
    if (!spec.grades_result() && !lab.sections.contains(spec.group)) {
      root.fail("has no handout section for the group '" + spec.group + "'");
    }
  }
  if (lab.cases.empty()) root.fail("has no cases");
  root.finish();
  return lab;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

const char* to_string(DeviceKind kind) {
  return kind == DeviceKind::kVirtual ? "vgpu" : "cuda";
}

std::string Lab::rerun_command(const std::string& case_name, uint64_t seed) const {
  std::string command = rerun;
  replace_all(command, "{case}", case_name);
  replace_all(command, "{seed}", std::to_string(seed));
  return command;
}

Lab load_lab(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) {
    throw EnvironmentError(path.string() + ": no such lab file");
  }
  try {
    return read_lab(toml::parse_file(path.string()), path.string());
  } catch (const toml::parse_error& error) {
    throw EnvironmentError(path.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                           std::string(error.description()));
  }
}

}  // namespace flashlab::judge
