#include "measure/timing.hpp"

#include <algorithm>
#include <cmath>

#include "inputs.hpp"
#include "measure/clocks.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

constexpr int kEmptyCalls = 20;
constexpr int kAloneCalls = 15;
constexpr int kWarmUps = 3, kMoreWarmUps = 4;  // and fewer than so many more, at random
constexpr double kSlowBaseline = 1.05;         // against itself alone
constexpr double kEventsTooLow = 0.5;          // of the clock
constexpr double kLateAnswer = 0.1;            // of the call's time
constexpr double kSlowClock = 0.75;            // of the fastest seen
constexpr double kNoticeable = 50e-6;          // seconds: shorter differences are the machine's own
constexpr double kBothBounds = 3;              // two float32 results differ by two bounds at most

/// What one timed call left.
struct Sample {
  Call call;
  std::optional<CallResult> result;
  CallTime time;
};

class Timer {
 public:
  Timer(const Lab& lab, const CaseSpec& spec, const TimingOptions& options, Client& submission,
        Client* baseline)
      : lab_(lab),
        spec_(spec),
        options_(options),
        submission_(submission),
        baseline_(baseline),
        random_(options.seed, spec.name, "timing") {}

  Timing run();

 private:
  /// The next problem: nobody has seen its inputs.
  std::unique_ptr<Problem> next_problem();
  Sample time(const Problem& problem, Client& client, bool empty = false);
  /// The same of the staff's library, which has to be right.
  Sample time_baseline(const Problem& problem);
  void measure_overhead();
  void measure_alone();
  /// One call of each, checked; false when the submission's was not right.
  bool pair(bool counts);
  void add(Times& times, const Sample& sample) const;
  void conclude();
  void find_oddities();

  const Lab& lab_;
  const CaseSpec& spec_;
  const TimingOptions& options_;
  Client& submission_;
  Client* baseline_;
  RandomStream random_;
  Clocks clocks_;
  Timing timing_;
  bool baseline_is_slow_ = false;
};

std::unique_ptr<Problem> Timer::next_problem() {
  return make_problem(lab_, spec_, random_.bits());
}

Sample Timer::time(const Problem& problem, Client& client, bool empty) {
  Sample sample;
  sample.time.empty = empty;
  CaseResult result;
  sample.result = call_submission(lab_, spec_, problem.inputs(), client, result, &sample.time);
  if (empty && sample.result) return sample;
  sample.call =
      judge_call(lab_, spec_, problem, sample.result, result, options_.rows, random_.bits());
  return sample;
}

Sample Timer::time_baseline(const Problem& problem) {
  Sample sample = time(problem, *baseline_);
  if (sample.call.status == Call::Status::kOk) return sample;
  throw EnvironmentError("the baseline failed: " + sample.call.message);
}

void Timer::add(Times& times, const Sample& sample) const {
  times.seconds.push_back(std::max(0.0, sample.time.seconds - timing_.overhead_seconds));
  times.answers.push_back(sample.time.answer_seconds);
  if (const auto events = sample.call.meters.find("event_seconds")) times.events.push_back(*events);
}

/// In the baseline's process if there is one: code of the submission could make its own empty calls
/// look long.
void Timer::measure_overhead() {
  const auto problem = next_problem();
  std::vector<double> seconds;
  for (int i = 0; i < kEmptyCalls; ++i) {
    const Sample sample = time(*problem, baseline_ != nullptr ? *baseline_ : submission_, true);
    if (sample.time.seconds < 0 || !sample.result) {
      throw EnvironmentError("an empty call failed: " + sample.call.message);
    }
    seconds.push_back(sample.time.seconds);
  }
  timing_.overhead_seconds = median(seconds);
}

void Timer::measure_alone() {
  Times times;
  for (int i = 0; i < kWarmUps + kAloneCalls; ++i) {
    const Sample sample = time_baseline(*next_problem());
    if (i >= kWarmUps) add(times, sample);
  }
  timing_.alone = times.seconds;
}

bool Timer::pair(bool counts) {
  const auto problem = next_problem();
  const bool baseline_first = random_.bits() % 2 == 0;
  std::optional<Sample> staff;
  if (baseline_ != nullptr && baseline_first) staff = time_baseline(*problem);
  Sample sample = time(*problem, submission_);
  if (baseline_ != nullptr && !baseline_first) staff = time_baseline(*problem);
  if (staff && sample.call.status == Call::Status::kOk) {
    const std::string difference =
        find_difference(*sample.result, *staff->result, *sample.call.checked, kBothBounds);
    if (!difference.empty()) {
      sample.call.status = Call::Status::kWrong;
      sample.call.message = difference;
    }
  }
  clocks_.sample();
  timing_.call = std::move(sample.call);
  if (timing_.call.status != Call::Status::kOk) return false;
  if (!counts) return true;
  add(timing_.submission, {timing_.call, std::nullopt, sample.time});
  if (staff) add(timing_.baseline, *staff);
  return true;
}

Timing Timer::run() {
  submission_.stop();  // nothing of it may be alive while the baseline is alone
  if (baseline_ != nullptr) {
    if (const auto reason = baseline_->ready(WorkerMode::kResources)) {
      throw EnvironmentError("the baseline: " + *reason);
    }
  }
  measure_overhead();
  if (baseline_ != nullptr) measure_alone();
  // From here on code of the submission runs.
  const int warm_ups = kWarmUps + static_cast<int>(random_.bits() % kMoreWarmUps);
  for (int i = 0; i < warm_ups + options_.repeats; ++i) {
    if (!pair(/*counts=*/i >= warm_ups)) return timing_;
  }
  conclude();
  return timing_;
}

void Timer::conclude() {
  find_oddities();
  timing_.sm_mhz = clocks_.sm_mhz();
  timing_.throttle_reasons = {clocks_.throttle_reasons().begin(), clocks_.throttle_reasons().end()};
  if (baseline_ == nullptr) return;
  std::vector<double> staff = timing_.baseline.seconds;
  if (baseline_is_slow_) std::ranges::fill(staff, median(timing_.alone));
  timing_.ratio = paired_ratio(timing_.submission.seconds, staff, options_.seed);
}

void Timer::find_oddities() {
  Times& mine = timing_.submission;
  const Times& staff = timing_.baseline;
  const auto flag = [&](std::string text) { timing_.flags.push_back(std::move(text)); };
  if (!staff.seconds.empty()) {
    // An answer that is "done" before its outputs are is late with them.
    const double late = median(mine.answers) - median(staff.answers);
    if (late > std::max(kNoticeable, kLateAnswer * median(mine.seconds))) {
      flag(
          format("the outputs come %.3f ms later after the end of the call than the staff's: this "
                 "is counted as time of the call",
                 late * 1e3));
      for (double& seconds : mine.seconds) seconds += late;
    }
    const double alone = median(timing_.alone), beside = median(staff.seconds);
    if (beside > kSlowBaseline * alone && beside - alone > kNoticeable / 10) {
      flag(
          format("the staff kernel takes %.3f ms beside this submission, %.3f ms alone: the ratio "
                 "is to the latter",
                 beside * 1e3, alone * 1e3));
      baseline_is_slow_ = true;
    }
  }
  const double clock = median(mine.seconds);
  if (!mine.events.empty()) {
    const double events = median(mine.events);
    if (events < kEventsTooLow * clock && clock - events > kNoticeable) {
      flag(
          format("CUDA events say %.3f ms, the judge's clock %.3f ms: work outside the stream, or "
                 "on the CPU",
                 events * 1e3, clock * 1e3));
    }
  }
  const std::vector<double>& mhz = clocks_.sm_mhz();
  if (!mhz.empty()) {
    const auto [low, high] = std::ranges::minmax(mhz);
    if (low < kSlowClock * high) {
      flag(format("noisy: the GPU's clock went from %.0f to %.0f MHz", high, low));
    }
  }
}

nlohmann::ordered_json summed_up(const Times& times) {
  const Quartiles all = quartiles(times.seconds);
  return {{"samples_s", times.seconds},
          {"events_s", times.events},
          {"median_s", all.median},
          {"q1_s", all.q1},
          {"q3_s", all.q3}};
}

}  // namespace

Timing take_times(const Lab& lab, const CaseSpec& spec, const TimingOptions& options,
                  Client& submission, Client* baseline) {
  return Timer(lab, spec, options, submission, baseline).run();
}

nlohmann::ordered_json to_json(const Timing& timing) {
  nlohmann::ordered_json json = {{"repeats", timing.submission.seconds.size()}};
  json.update(summed_up(timing.submission));
  json["overhead_s"] = timing.overhead_seconds;
  json["baseline"] = nullptr;
  json["ratio"] = nullptr;
  if (timing.ratio) {
    json["baseline"] = summed_up(timing.baseline);
    json["baseline"]["alone_s"] = timing.alone;
    json["ratio"] = {
        {"median", timing.ratio->median}, {"low", timing.ratio->low}, {"high", timing.ratio->high}};
  }
  json["clocks"] = {{"sm_mhz", nullptr}, {"throttle_reasons", timing.throttle_reasons}};
  if (!timing.sm_mhz.empty()) {
    const auto [low, high] = std::ranges::minmax(timing.sm_mhz);
    json["clocks"]["sm_mhz"] = {{"min", low}, {"median", median(timing.sm_mhz)}, {"max", high}};
  }
  json["flags"] = timing.flags;
  return json;
}

}  // namespace flashlab::judge
