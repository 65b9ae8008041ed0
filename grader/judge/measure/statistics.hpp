// What samples of a time are summed up to.
#pragma once

#include <cstdint>
#include <vector>

namespace flashlab::judge {

struct Quartiles {
  double q1 = 0, median = 0, q3 = 0;
};

/// Quartiles with linear interpolation between samples. Throws std::invalid_argument when there are
/// none.
Quartiles quartiles(std::vector<double> samples);
double median(std::vector<double> samples);

/// A ratio of medians and its 95 % interval.
struct Ratio {
  double median = 0, low = 0, high = 0;
};

/// median(a) / median(b). The interval is the percentile bootstrap (Efron 1979) over `resamples`
/// draws of pairs (a[i], b[i]), which were measured one after the other and share their
/// disturbances. The vectors have the same size >= 1.
Ratio paired_ratio(const std::vector<double>& a, const std::vector<double>& b, uint64_t seed,
                   int resamples = 2000);

}  // namespace flashlab::judge
