// The clock of a real GPU's multiprocessors, and why it is lower than it could be.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace flashlab::judge {

/// NVIDIA's management library (NVML), read in the judge's own process: a submission must not be
/// able to answer for it. Where the library or the GPU is not to be had, nothing is known, which is
/// no error.
class Clocks {
 public:
  Clocks();
  ~Clocks();
  Clocks(const Clocks&) = delete;
  Clocks& operator=(const Clocks&) = delete;

  /// Reads clock and throttle reasons now.
  void sample();

  const std::vector<double>& sm_mhz() const { return sm_mhz_; }
  /// Reasons seen since the start, as in "power cap"; idle is none.
  const std::set<std::string>& throttle_reasons() const { return reasons_; }

 private:
  void* library_ = nullptr;
  void* device_ = nullptr;
  std::vector<double> sm_mhz_;
  std::set<std::string> reasons_;
};

}  // namespace flashlab::judge
