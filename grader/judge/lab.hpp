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
  bool causal = false;  ///< query i sees key j only if j <= i + seq_k - seq_q

  size_t slices() const { return static_cast<size_t>(batch) * heads; }
  size_t rows() const { return slices() * seq_q; }
  size_t q_elements() const { return slices() * seq_q * head_dim; }  ///< of Q and of O
  size_t k_elements() const { return slices() * seq_k * head_dim; }  ///< of K and of V
  size_t scores() const { return slices() * seq_q * seq_k; }         ///< of S and of P
};

/// How the inputs of a case are drawn; lab.toml explains each number.
struct InputRecipe {
  double q_mean = 0, q_sigma = 1, k_mean = 0, k_sigma = 1, v_mean = 0, v_sigma = 1;
  double spike_probability = 0, spike_sigma = 0, k_growth = 0;
  // Lab 2: scores, and the m of partial states.
  double s_mean = 0, s_sigma = 1, s_growth = 0, masked_probability = 0;
  int masked_every = 0;  ///< every so many rows all is -infinity; 0: none
  std::map<std::string, std::vector<float>> values;  ///< lab 2: tensors given in full, by name
};

/// A bound on one meter, as formulas of the shape (formula.hpp); an empty one does not bound.
struct Limit {
  std::string meter, at_most, at_least;
  std::string hint;  ///< what to do when it does not hold; empty: what points.cpp says of the meter
};

enum class DeviceKind { kVirtual, kCuda };
const char* to_string(DeviceKind kind);  ///< "vgpu" or "cuda"

struct CaseSpec {
  std::string name, group;
  std::string hint;  ///< what is special about it, said when nothing better explains a failure
  double points = 0;
  Shape shape;
  InputRecipe inputs;
  std::optional<DeviceKind> only_on;  ///< graded on this device only
  std::vector<Limit> limits;
  size_t entry = 0;     ///< which of Lab::entries is called
  bool checks = false;  ///< runs with the checks of the virtual GPU, which must find nothing
  bool speed = false;   ///< the time is what counts: modelled on the virtual GPU, else measured
  double staff_seconds = 0;  ///< speed: the staff's modelled time
  Shape measured_shape;      ///< speed: on a real GPU, where `shape` would be over too soon
  /// Whether the result itself is what is graded, and not what a right result took.
  bool grades_result() const { return limits.empty() && !checks && !speed; }
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
  double checked_instructions =
      0;                   ///< lane-instructions up to which a case is run again with checks
  std::vector<int> tiles;  ///< tile sizes tried for dropped or padded keys
};

/// How the time of a speed case becomes points: all of them up to the ratio `full` to the staff's
/// time, none from `none`, between them linear in the logarithm of the ratio.
struct SpeedRule {
  std::string profile;  ///< the GPU whose time is modelled on the virtual GPU
  double full = 0, none = 0;
  double step = 0;  ///< points are rounded to multiples of this
  double grey = 0;  ///< this part below the ratio of a better step, a measurement is repeated
  double case_seconds = 0;  ///< for a call on the virtual GPU: a slow kernel is no hang
  int calls = 0;            ///< on the virtual GPU: the slowest counts
  int repeats = 0;          ///< timed calls on a real GPU
};

/// A function of the submission and its signature (kinds.hpp).
struct Entry {
  std::string name, kind;
};

struct Lab {
  std::string id, title, rerun;
  std::vector<Entry> entries;
  double start_seconds = 0, case_seconds = 0, launch_seconds = 0;
  int hangs = 0;
  uint64_t workspace_bytes = 0;
  uint64_t memory_bytes = 0;         ///< that a worker may take
  uint64_t device_memory_bytes = 0;  ///< of the virtual GPU
  double results_per_thread = 0;     ///< more than one thread computes: then the host did
  uint64_t host_copy_bytes = 0;      ///< copied between host and device without being suspicious
  Tolerance tolerance;
  DiagnosisLimits diagnosis;
  SpeedRule speed;
  std::map<std::string, std::string> sections;  ///< topic -> "handout 1, section 3"
  std::map<std::string, InputRecipe> recipes;   ///< ways to draw inputs, by name
  std::vector<CaseSpec> cases;

  const Entry& entry(const CaseSpec& spec) const { return entries.at(spec.entry); }
  /// Where the handout treats `topic`; the loader has checked that every topic in use is there.
  const std::string& section(const std::string& topic) const { return sections.at(topic); }
  /// The command that runs one case again.
  std::string rerun_command(const std::string& case_name, uint64_t seed) const;
};

/// Reads a lab.toml. Throws EnvironmentError, one line with file and line number, when it is
/// missing, malformed, lacks a key or has an unknown one.
Lab load_lab(const std::filesystem::path& path);

}  // namespace flashlab::judge
