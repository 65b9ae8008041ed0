// One grading session: all selected cases of a lab, as GoogleTest tests, in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "client/worker.hpp"
#include "lab.hpp"

namespace flashlab::judge {

struct SessionOptions {
  std::filesystem::path lab, output;
  std::filesystem::path baseline;  ///< the staff's library; empty: a real GPU grades no speed
  WorkerOptions worker;            ///< entry and start_seconds come from the lab
  DeviceKind device = DeviceKind::kVirtual;
  std::string case_glob = "*";
  uint64_t seed = 0;
};

/// Exit codes.
inline constexpr int kGraded = 0, kNothingRan = 1, kNoVerdict = 2;

/// Grades, prints one JSON line per event on stdout, writes the result file. Returns kGraded
/// whatever the points; kNothingRan when the submission could not be loaded or crashed in every
/// case; kNoVerdict when a case could not be judged. Throws EnvironmentError when grading could not
/// start.
int run_session(const SessionOptions& options);

}  // namespace flashlab::judge
