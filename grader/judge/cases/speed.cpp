// Speed: the time of a right result against the staff's. On the virtual GPU the time is modelled
// from exact counts, on a real one it is measured beside the staff's library.
#include "measure/speed.hpp"

#include "cases/case.hpp"
#include "measure/shapes.hpp"
#include "measure/timing.hpp"
#include "model/model.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

constexpr int kMostRepeats = 3;      // of a measurement
constexpr double kSuspicious = 0.2;  // faster than this part of the staff's time: for a person

using nlohmann::ordered_json;

/// A time as people write it.
std::string shown(double seconds) {
  return seconds < 1e-3 ? format("%.3g us", seconds * 1e6) : format("%.3g ms", seconds * 1e3);
}

/// Takes over what a call that was not right says; nothing else of the case counts then.
void take_failure(const Lab& lab, const Call& call, CaseResult& result) {
  result.output = call.output;
  result.not_implemented = call.not_implemented;
  if (call.checked) result.error = call.checked->error;
  fail(result, call.message, call.handout);
  if (call.status == Call::Status::kError) result.status = Status::kError;
  if (call.status != Call::Status::kWrong) return;
  result.status = Status::kSkipped;
  result.message = "not graded until the result is right:\n" + call.message;
  result.handout = lab.section("debugging");
}

/// Points for `ratio`; `how` says what the time is.
void give_points(const Lab& lab, const CaseSpec& spec, double ratio, const std::string& how,
                 CaseResult& result) {
  result.points = speed_points(lab.speed, spec.points, ratio);
  result.speed["full"] = lab.speed.full;
  result.speed["none"] = lab.speed.none;
  if (result.points == result.max_points) {
    result.status = Status::kPassed;
    return;
  }
  fail(result,
       how + format(", %.2f times the staff's. All points up to %g times, none from %g times.",
                    ratio, lab.speed.full, lab.speed.none),
       lab.section(spec.group));
}

CaseResult grade_modelled(const Lab& rules, const CaseSpec& spec, uint64_t seed, Client& client) {
  CaseResult result;
  result.max_points = spec.points;
  Lab lab = rules;
  lab.launch_seconds *= lab.speed.case_seconds / lab.case_seconds;
  lab.case_seconds = lab.speed.case_seconds;
  const model::GpuProfile gpu = model::load_gpu(GPU_PROFILES "/" + lab.speed.profile + ".toml");
  RandomStream seeds(seed, spec.name, "calls");
  model::ModelledTime slowest;
  for (int i = 0; i < lab.speed.calls; ++i) {
    const Call call = call_once(lab, spec, seeds.bits(), std::nullopt, client);
    if (call.status != Call::Status::kOk) {
      take_failure(lab, call, result);
      return result;
    }
    const model::ModelledTime time = model::model_time(call.meters.launches, gpu);
    if (time.seconds < slowest.seconds) continue;
    slowest = time;
    result.meters = call.meters;
    result.error = call.checked->error;
  }
  const double ratio = slowest.seconds / spec.staff_seconds;
  const model::Resource limiter = model::limiter(slowest.shares);
  const ordered_json model = to_json(slowest);
  result.speed = {{"how", "modelled"},
                  {"gpu", slowest.gpu},
                  {"ratio", ratio},
                  {"low", ratio},
                  {"high", ratio},
                  {"seconds", slowest.seconds},
                  {"staff_seconds", spec.staff_seconds},
                  {"limiter", model.at("limiter")},
                  {"limiter_share", model.at("limiter_share")},
                  {"shares", model.at("shares")}};
  const std::string how =
      format("The modelled time on an %s is %s; what limits it most is %s (%.0f %%)",
             slowest.name.c_str(), shown(slowest.seconds).c_str(), model::title(limiter),
             100 * slowest.shares[static_cast<size_t>(limiter)]);
  give_points(lab, spec, ratio, how, result);
  return result;
}

CaseResult grade_measured(const Lab& rules, CaseSpec spec, uint64_t seed, Client& client,
                          Client& baseline) {
  CaseResult result;
  result.max_points = spec.points;
  spec.shape = spec.measured_shape;
  const Lab lab = scaled_limits(rules, spec.shape);
  RandomStream seeds(seed, spec.name, "measurements");
  TimingOptions options;
  options.repeats = lab.speed.repeats;
  std::optional<Timing> best;
  int measured = 0;
  // What is close to more points, or odd, is measured again: the best counts.
  const auto again = [&] {
    return !best->flags.empty() || is_close_to_more(lab.speed, spec.points, best->ratio->median);
  };
  do {
    options.seed = seeds.bits();
    Timing timing = take_times(lab, spec, options, client, &baseline);
    if (timing.call.status != Call::Status::kOk) {
      take_failure(lab, timing.call, result);
      return result;
    }
    if (!best || timing.ratio->median < best->ratio->median) best = std::move(timing);
  } while (measured++ < kMostRepeats && again());
  const Ratio& ratio = *best->ratio;
  if (ratio.median < kSuspicious) {
    best->flags.emplace_back("much faster than the staff's kernel: somebody should look at it");
  }
  const double seconds = median(best->submission.seconds);
  result.meters = best->call.meters;
  result.error = best->call.checked->error;
  result.speed = {{"how", "measured"},
                  {"gpu", client.hello().device_name},
                  {"shape", to_json(spec.shape)},
                  {"ratio", ratio.median},
                  {"low", ratio.low},
                  {"high", ratio.high},
                  {"seconds", seconds},
                  {"staff_seconds", median(best->baseline.seconds)},
                  {"samples", to_json(*best)},
                  {"flags", best->flags},
                  {"remeasured", measured - 1}};
  give_points(lab, spec, ratio.median, format("The measured time is %s", shown(seconds).c_str()),
              result);
  return result;
}

}  // namespace

CaseResult grade_speed(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client,
                       Client* baseline) {
  if (client.hello().device == protocol::DeviceKind::kVirtual) {
    return grade_modelled(lab, spec, seed, client);
  }
  if (baseline != nullptr) return grade_measured(lab, spec, seed, client, *baseline);
  return speed_without_staff(spec);
}

CaseResult speed_without_staff(const CaseSpec& spec) {
  CaseResult result;
  result.status = Status::kSkipped;
  result.message = format(
      "no staff kernel here: on a real GPU speed is not graded without one (--device vgpu grades "
      "it: %g points)",
      spec.points);
  return result;
}

}  // namespace flashlab::judge
