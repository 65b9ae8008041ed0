#include "measure/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "inputs.hpp"

namespace flashlab::judge {
namespace {

/// Of sorted samples.
double quantile(const std::vector<double>& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - std::floor(at));
}

}  // namespace

Quartiles quartiles(std::vector<double> samples) {
  if (samples.empty()) throw std::invalid_argument("quartiles of no samples");
  std::ranges::sort(samples);
  return {quantile(samples, 0.25), quantile(samples, 0.5), quantile(samples, 0.75)};
}

double median(std::vector<double> samples) {
  return quartiles(std::move(samples)).median;
}

Ratio paired_ratio(const std::vector<double>& a, const std::vector<double>& b, uint64_t seed,
                   int resamples) {
  if (a.size() != b.size()) throw std::invalid_argument("pairs of samples that are none");
  RandomStream random(seed, "bootstrap", "pairs");
  std::vector<double> ratios, some_a(a.size()), some_b(b.size());
  for (int draw = 0; draw < resamples; ++draw) {
    for (size_t i = 0; i < a.size(); ++i) {
      const size_t pair = random.bits() % a.size();
      some_a[i] = a[pair];
      some_b[i] = b[pair];
    }
    ratios.push_back(median(some_a) / median(some_b));
  }
  std::ranges::sort(ratios);
  return {median(a) / median(b), quantile(ratios, 0.025), quantile(ratios, 0.975)};
}

}  // namespace flashlab::judge
