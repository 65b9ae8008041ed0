// A lab as its lab.toml describes it: the one place for points, shapes, thresholds and handout
// anchors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace flashlab::judge {

/// What the person at the keyboard must repair: a bad lab.toml, a missing worker, no device. Exit
/// code 2.
struct EnvironmentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The shape of one problem; tensors as in labs/include/flashlab/attention.h.
struct Shape {
  int batch = 1, heads = 1, seq_q = 1, seq_k = 1, head_dim = 1;
  float scale = 1;

  size_t slices() const { return static_cast<size_t>(batch) * heads; }
  size_t q_elements() const { return slices() * seq_q * head_dim; }  ///< of Q and of O
  size_t k_elements() const { return slices() * seq_k * head_dim; }  ///< of K and of V
  size_t scores() const { return slices() * seq_q * seq_k; }         ///< of S and of P
};

/// How the inputs of a case are drawn; lab.toml explains each number.
struct InputRecipe {
  double q_mean = 0, q_sigma = 1, k_mean = 0, k_sigma = 1, v_mean = 0, v_sigma = 1;
  double spike_probability = 0, spike_sigma = 0, k_growth = 0;
};

/// A bound on one meter, as a formula of the shape; lab.toml states the formula.
struct Limit {
  std::string meter;
  double per_score = 0, per_product = 0, per_element = 0, margin = 1, constant = 0;
  double at_least_per_score = 0;

  double at_most(const Shape& shape) const;
  double at_least(const Shape& shape) const;
};

enum class DeviceKind { kVirtual, kCuda };
const char* to_string(DeviceKind kind);  ///< "vgpu" or "cuda"

struct CaseSpec {
  std::string name, group;
  double points = 0;
  Shape shape;
  InputRecipe inputs;
  std::optional<DeviceKind> only_on;  ///< graded on this device only
  std::vector<Limit> limits;          ///< empty: the result itself is what is graded
};

/// |got - ref| <= max(absolute, eps_factor * eps32 * max|S| * max|V|) + relative * |ref|
struct Tolerance {
  double absolute = 0, eps_factor = 0, relative = 0;
};

/// When a wrong result counts as explained (diagnose.hpp).
struct DiagnosisLimits {
  double match_factor = 0;    ///< a hypothesis may miss by this many times the bound of the case
  double match_fraction = 0;  ///< and by this fraction of the result's own error
  double near_miss =
      0;  ///< errors up to this fraction of max|V|, or of the range of S, are lost precision
  std::vector<int> tiles;  ///< tile sizes tried for dropped or padded keys
};

struct Lab {
  std::string id, title, entry, kind, rerun;
  double start_seconds = 0, case_seconds = 0, launch_seconds = 0;
  int hangs = 0;
  uint64_t workspace_bytes = 0;
  Tolerance tolerance;
  DiagnosisLimits diagnosis;
  std::map<std::string, std::string> sections;  ///< topic -> "handout 1, section 3"
  std::vector<CaseSpec> cases;

  /// Where the handout treats `topic`; the loader has checked that every topic in use is there.
  const std::string& section(const std::string& topic) const { return sections.at(topic); }
  /// The command that runs one case again.
  std::string rerun_command(const std::string& case_name, uint64_t seed) const;
};

/// Reads a lab.toml. Throws EnvironmentError, one line with file and line number, when it is
/// missing, malformed, lacks a key or has an unknown one.
Lab load_lab(const std::filesystem::path& path);

}  // namespace flashlab::judge
