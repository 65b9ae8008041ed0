#include "points.hpp"

#include <map>

#include "text.hpp"

namespace flashlab::judge {
namespace {

struct MeterText {
  const char* what;
  const char* when_too_much;
};

const std::map<std::string, MeterText>& texts() {
  static const std::map<std::string, MeterText> kTexts = {
      {"workspace_bytes",
       {"bytes of workspace",
        "S and P are float32 [B, H, Nq, Nk], 4 bytes per element each: allocate no more than these "
        "two."}},
      {"unmetered_bytes",
       {"bytes of device memory from elsewhere than the workspace",
        "Take all scratch memory from the Workspace argument, not from cudaMalloc."}},
      {"distinct_bytes",
       {"distinct bytes moved between device memory and the kernels, summed over launches",
        "S and P should each be written once and read once: merge kernels that pass over them "
        "again."}},
      {"requested_bytes",
       {"bytes of global memory requested by all warps",
        "Keep the running sum in a register, and read each factor of a product once per "
        "multiply-add."}},
      {"sector_bytes",
       {"bytes in 32-byte sectors moved for the requests of all warps",
        "Let neighbouring threads (threadIdx.x) read neighbouring addresses: see the sectors per "
        "request."}},
      {"launches", {"kernel launches", "Launch fewer kernels."}},
  };
  return kTexts;
}

}  // namespace

bool is_limitable(const std::string& meter) {
  return texts().contains(meter);
}

std::optional<std::string> find_broken_limit(const CaseSpec& spec, const Meters& meters) {
  for (const Limit& limit : spec.limits) {
    const std::optional<double> reading = meters.find(limit.meter);
    if (!reading) continue;
    const double most = limit.at_most(spec.shape), least = limit.at_least(spec.shape);
    const MeterText& text = texts().at(limit.meter);
    if (!(*reading <= most)) {
      return format("%s %s; at most %s are allowed here. %s", with_commas(*reading).c_str(),
                    text.what, with_commas(most).c_str(), text.when_too_much);
    }
    if (!(*reading >= least)) {
      return format(
          "%s %s; at least %s are expected here. In this lab the scores are written to the "
          "workspace, under "
          "the names \"S\" and \"P\".",
          with_commas(*reading).c_str(), text.what, with_commas(least).c_str());
    }
  }
  return std::nullopt;
}

}  // namespace flashlab::judge
