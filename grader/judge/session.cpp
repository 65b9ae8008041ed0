#include "session.hpp"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>

#include "cases/case.hpp"
#include "client/client.hpp"
#include "result.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using nlohmann::ordered_json;

void emit(const ordered_json& event) {
  std::cout << dump(event) << std::endl;
}

std::vector<CaseSpec> select_cases(const Lab& lab, const std::string& glob) {
  std::vector<CaseSpec> selected;
  for (const CaseSpec& spec : lab.cases) {
    if (fnmatch(glob.c_str(), spec.name.c_str(), 0) == 0) selected.push_back(spec);
  }
  if (selected.empty()) {
    std::string names;
    for (const CaseSpec& spec : lab.cases) names += " " + spec.name;
    throw EnvironmentError("no case of " + lab.id + " matches '" + glob + "'; there are:" + names);
  }
  return selected;
}

size_t memory_for(const Lab& lab, const std::vector<CaseSpec>& cases, DeviceKind device) {
  size_t bytes = 0;
  for (CaseSpec spec : cases) {
    if (spec.speed && device == DeviceKind::kCuda) spec.shape = spec.measured_shape;
    bytes = std::max(bytes, memory_needed(lab, spec));
  }
  return bytes;
}

class Session {
 public:
  Session(const SessionOptions& options, Lab lab)
      : options_(options),
        lab_(std::move(lab)),
        cases_(select_cases(lab_, options.case_glob)),
        client_(worker_options(options, lab_), memory_for(lab_, cases_, options.device),
                lab_.case_seconds) {
    if (options.baseline.empty() || options.device == DeviceKind::kVirtual) return;
    WorkerOptions staff = worker_options(options, lab_);
    staff.submission = options.baseline;
    baseline_.emplace(staff, memory_for(lab_, cases_, options.device), lab_.case_seconds);
  }

  int run();
  /// Grades one case, or says why it is not run.
  CaseResult grade(const CaseSpec& spec);
  void add(const CaseSpec& spec, CaseResult result);

 private:
  static WorkerOptions worker_options(const SessionOptions& options, const Lab& lab) {
    WorkerOptions worker = options.worker;
    for (const Entry& entry : lab.entries) worker.entries.push_back(entry.name);
    worker.start_seconds = lab.start_seconds;
    worker.memory_bytes = lab.memory_bytes;
    worker.device_memory_bytes = lab.device_memory_bytes;
    return worker;
  }
  /// Opens the device and loads the submission; a submission that does not load fails every case.
  void start();
  CaseResult skip(const CaseSpec& spec, const std::string& why) const;

  const SessionOptions& options_;
  Lab lab_;
  std::vector<CaseSpec> cases_;
  Client client_;
  std::optional<Client> baseline_;
  LabResult result_;
  std::string stop_reason_;                        ///< when set, no further case is run
  std::map<size_t, std::string> not_implemented_;  ///< entry -> why its cases are not run
  bool load_failed_ = false;
  int hangs_ = 0;
};

/// One case as GoogleTest sees it, so that its own outputs (XML for a CI, for instance) work as
/// usual.
class CaseTest : public testing::Test {
 public:
  CaseTest(Session& session, const CaseSpec& spec) : session_(session), spec_(spec) {}

  void TestBody() override {
    CaseResult result = session_.grade(spec_);
    RecordProperty("verdict", to_string(result.status));
    RecordProperty("points", format("%g", result.points));
    RecordProperty("max_points", format("%g", result.max_points));
    for (const auto& [name, value] : result.meters.values)
      RecordProperty(name, format("%.17g", value));
    if (result.error) RecordProperty("max_abs_error", format("%.9g", result.error->max_abs));
    const Status status = result.status;
    const std::string message = result.message;
    session_.add(spec_, std::move(result));
    if (status == Status::kSkipped) GTEST_SKIP() << message;
    if (status != Status::kPassed) ADD_FAILURE() << message;
  }

 private:
  Session& session_;
  const CaseSpec& spec_;
};

void Session::start() {
  const std::optional<std::string> load_error = client_.ready();
  require_device(client_.hello(), options_.device);
  if (load_error) {
    stop_reason_ = "the submission: " + *load_error;
    load_failed_ = true;
  }
  result_ = {lab_.id, client_.hello(), options_.seed, {}};
}

CaseResult Session::skip(const CaseSpec& spec, const std::string& why) const {
  CaseResult result;
  result.status = Status::kSkipped;
  result.max_points = spec.points;
  result.message = why;
  return result;
}

CaseResult Session::grade(const CaseSpec& spec) {
  const auto start = std::chrono::steady_clock::now();
  CaseResult result;
  if (spec.only_on && *spec.only_on != options_.device) {
    result = skip(
        spec, format("graded on %s only (%g points there)", to_string(*spec.only_on), spec.points));
    result.max_points = 0;  // neither won nor lost on this device
  } else if (!stop_reason_.empty()) {
    result = skip(spec, stop_reason_);
    if (load_failed_) {
      fail(result, stop_reason_, lab_.section("debugging"));
      result.crashed = true;
    }
  } else if (const auto found = not_implemented_.find(spec.entry);
             found != not_implemented_.end()) {
    result = skip(spec, found->second);
  } else {
    try {
      result = spec.speed ? grade_speed(lab_, spec, options_.seed, client_,
                                        baseline_ ? &*baseline_ : nullptr)
                          : find_grader(lab_, spec)(lab_, spec, options_.seed, client_);
    } catch (const std::exception& error) {
      result = CaseResult();
      result.max_points = spec.points;
      result.message = std::string("the grader failed: ") + error.what();
    }
  }
  result.name = spec.name;
  result.group = spec.group;
  result.shape = spec.shape;
  result.rerun = lab_.rerun_command(spec.name, options_.seed);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

void Session::add(const CaseSpec& spec, CaseResult result) {
  if (result.not_implemented) not_implemented_[spec.entry] = result.message;
  if (result.timed_out && ++hangs_ == lab_.hangs) {
    stop_reason_ = format("not run: %d cases before it did not end in time", hangs_);
  }
  ordered_json event = {{"event", "case"}};
  event.update(to_json(result));
  emit(event);
  result_.cases.push_back(std::move(result));
}

int Session::run() {
  start();
  emit({{"event", "start"},
        {"cases", cases_.size()},
        {"lab", lab_.id},
        {"seed", options_.seed},
        {"device", to_json(result_.device)}});
  for (const CaseSpec& spec : cases_) {
    testing::RegisterTest(spec.group.c_str(), spec.name.c_str(), nullptr, nullptr, __FILE__,
                          __LINE__,
                          [this, &spec]() -> CaseTest* { return new CaseTest(*this, spec); });
  }
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());  // stdout carries events only
  [[maybe_unused]] const int any_failed =
      RUN_ALL_TESTS();  // the verdicts are in result_; a failed case is no failure of the judge

  write_atomically(options_.output, dump(to_json(result_), 2) + "\n");
  const auto count = [&](auto predicate) {
    return std::ranges::count_if(result_.cases, predicate);
  };
  const auto run = count([](const CaseResult& one) { return one.status != Status::kSkipped; });
  const auto crashed = count([](const CaseResult& one) { return one.crashed; });
  const auto errors = count([](const CaseResult& one) { return one.status == Status::kError; });
  emit({{"event", "end"}, {"score", result_.score()}, {"max_score", result_.max_score()}});
  if (errors > 0) {
    std::cerr << "flashlab-judge: " << errors
              << " cases could not be judged; this is no grade: see " << options_.output.string()
              << "\n";
    return kNoVerdict;
  }
  if (run > 0 && crashed == run) {
    std::cerr << "flashlab-judge: " << printable(result_.cases.front().message) << "\n";
    return kNothingRan;
  }
  return kGraded;
}

}  // namespace

int run_session(const SessionOptions& options) {
  Session session(options, load_lab(options.lab));
  return session.run();
}

}  // namespace flashlab::judge
