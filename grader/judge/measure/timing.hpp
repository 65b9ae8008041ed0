// The time of a submission on the judge's own clock, beside that of the staff's library.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/client.hpp"
#include "measure/call.hpp"
#include "measure/statistics.hpp"

namespace flashlab::judge {

struct TimingOptions {
  int repeats = 30;                ///< pairs of calls, after the warm-up
  std::optional<size_t> rows = 8;  ///< compared with float64 after each call; nothing: all
  uint64_t seed = 0;               ///< secret: from it come inputs, order and rows
};

/// The times of one library.
struct Times {
  std::vector<double> seconds;  ///< the judge's clock, less that of an empty call
  std::vector<double> events;   ///< CUDA events, from inside the worker: for information
  std::vector<double> answers;  ///< from the end of the call to its outputs
};

struct Timing {
  Times submission, baseline;   ///< pair by pair; without a baseline its times are empty
  std::vector<double> alone;    ///< of the baseline, before the submission was started
  double overhead_seconds = 0;  ///< what the clock shows for an empty call
  std::optional<Ratio> ratio;   ///< submission / baseline
  std::vector<double> sm_mhz;   ///< empty when unknown
  std::vector<std::string> throttle_reasons;
  std::vector<std::string> flags;  ///< what is odd about the times, for people
  Call call;  ///< the first that was not right, else the last of the submission
};

/// Times the submission against the baseline, if there is one, for the problem of `spec`. Both run
/// in worker processes of their own, in pairs of random order with the same fresh inputs, which no
/// worker sees before its call; L2 is flushed. After each call, warm-up calls included, and before
/// the next inputs are drawn, the outputs are checked: none unwritten or NaN, random rows against
/// float64, and all of them against the baseline's. The first wrong one ends it. Throws
/// EnvironmentError when the baseline fails.
Timing take_times(const Lab& lab, const CaseSpec& spec, const TimingOptions& options,
                  Client& submission, Client* baseline);

/// "timing" of a record; README.md has its fields.
nlohmann::ordered_json to_json(const Timing& timing);

}  // namespace flashlab::judge
