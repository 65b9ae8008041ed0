// The verdicts: one per case, and the file and events that carry them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "diagnose.hpp"
#include "lab.hpp"
#include "meters.hpp"
#include "worker/protocol.hpp"

namespace flashlab::judge {

enum class Status {
  kPassed,
  kFailed,   ///< the submission's fault
  kSkipped,  ///< not graded: depends on something that failed, or needs another device
  kError,    ///< the grader's fault; the result as a whole is then no grade
};
const char* to_string(Status status);

/// How far the result was from the reference.
struct ErrorSummary {
  double max_abs = 0, max_rel = 0, tolerance = 0;  ///< tolerance: the absolute part of the bound
  size_t wrong = 0, not_finite = 0, unwritten = 0, total = 0;
};

struct CaseResult {
  std::string name, group;
  Status status = Status::kError;
  double points = 0, max_points = 0;
  std::string message;  ///< empty when passed
  std::string handout;  ///< "handout 1, section 3"; empty when passed
  std::string rerun;
  double seconds = 0;
  Shape shape;
  Meters meters;
  std::optional<ErrorSummary> error;
  std::optional<Diagnosis> diagnosis;
  nlohmann::ordered_json speed;  ///< of a speed case; null elsewhere
  std::string output;            ///< what the submission printed
  // For the order of events, not for the file:
  bool crashed = false;          ///< the process died or had to be killed
  bool timed_out = false;        ///< no answer in time, or a launch beyond its limit
  bool not_implemented = false;  ///< the stub as handed out
};

struct LabResult {
  std::string lab;
  protocol::Hello device;
  uint64_t seed = 0;
  std::vector<CaseResult> cases;

  double score() const;      ///< sum of points
  double max_score() const;  ///< sum of max_points
};

nlohmann::ordered_json to_json(const CaseResult& result);
nlohmann::ordered_json to_json(const LabResult& result);
nlohmann::ordered_json to_json(const protocol::Hello& device);
nlohmann::ordered_json to_json(const Shape& shape);
nlohmann::ordered_json to_json(const ErrorSummary& error);
nlohmann::ordered_json to_json(const Meters& meters);

/// JSON text; bytes that are no UTF-8 (a submission can print anything) are replaced.
std::string dump(const nlohmann::ordered_json& json, int indent = -1);

/// Writes beside `path` and renames, so that the file is whole or absent. Throws EnvironmentError
/// with the reason.
void write_atomically(const std::filesystem::path& path, const std::string& text);

}  // namespace flashlab::judge
