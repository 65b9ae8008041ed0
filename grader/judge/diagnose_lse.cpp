// From a wrong log-sum-exp to its cause, when O is right: m and l are then right too, so L is a
// wrong formula of them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "diagnose.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

/// What is stored instead of m + ln l, with m and l of the row and its scores' scale.
struct Formula {
  const char* cause;
  const char* text;
  double (*value)(double m, double l, double scale);
};

constexpr double kLog2e = 1.4426950408889634;

constexpr Formula kFormulas[] = {
    {"lse_without_max", "L is ln l: the maximum is missing. L = m + ln l.",
     [](double, double l, double) { return std::log(l); }},
    {"missing_max",
     "L is 2 m + ln l: this l is the sum of exp(s), from which no maximum was taken off, so m "
     "counts "
     "twice.",
     [](double m, double l, double) { return 2 * m + std::log(l); }},
    {"lse_is_max", "L is m: the sum is missing. L = m + ln l.",
     [](double m, double, double) { return m; }},
    {"lse_log2",
     "L is in base 2, (m + ln l) / ln 2. With exp2f and scores times log2(e), multiply by ln 2 at "
     "the "
     "end: L is a natural logarithm.",
     [](double m, double l, double) { return (m + std::log(l)) * kLog2e; }},
    {"lse_log2", "L is m + log2(l): use logf, the natural logarithm.",
     [](double m, double l, double) { return m + std::log2(l); }},
    {"lse_log2",
     "L is m log2(e) + ln l: m is still in base 2. Multiply it by ln 2 before you add ln l.",
     [](double m, double l, double) { return m * kLog2e + std::log(l); }},
    {"lse_scale", "L is m / scale + ln l: this m is the largest q . k, before the scale.",
     [](double m, double l, double scale) { return m / scale + std::log(l); }},
    {"lse_is_sum", "L is l: store m + ln l.", [](double, double l, double) { return l; }},
    {"lse_is_sum", "L is m + l: the logarithm of l is missing.",
     [](double m, double l, double) { return m + l; }},
    {"lse_sign", "L is m - ln l: the sign of ln l is wrong.",
     [](double m, double l, double) { return m - std::log(l); }},
    {"lse_sign", "L is -(m + ln l): the sign is wrong.",
     [](double m, double l, double) { return -(m + std::log(l)); }},
    {"lse_is_exp", "L is exp(m) l, the sum itself: store its logarithm, m + ln l.",
     [](double m, double l, double) { return std::exp(m) * l; }},
};

/// Whether the rows with a key that is seen all hold this formula.
bool explains(const LogSumExpEvidence& evidence, const Formula& formula) {
  ErrorBound bound = evidence.comparison.bound;
  bound.absolute *= evidence.lab.diagnosis.match_factor;
  bound.relative *= evidence.lab.diagnosis.match_factor;
  const auto& expected = evidence.expected;
  for (size_t row = 0; row < evidence.L.size(); ++row) {
    const double m = expected.row_max[row];
    if (!std::isfinite(m)) continue;
    const double l = std::exp(expected.L[row] - m);
    if (!bound.holds(evidence.L[row], formula.value(m, l, evidence.shape.scale))) return false;
  }
  return true;
}

}  // namespace

Diagnosis diagnose_log_sum_exp(const LogSumExpEvidence& evidence) {
  const char* const topic = "log_sum_exp";
  if (std::ranges::all_of(evidence.L, is_poison)) {
    return {"unwritten", "L was never written. Store m + ln l for each query beside O.", topic};
  }
  bool only_rows_without_keys = true;
  for (size_t row = 0; row < evidence.L.size(); ++row) {
    if (!evidence.comparison.is_wrong[row]) continue;
    only_rows_without_keys = only_rows_without_keys && !std::isfinite(evidence.expected.L[row]);
  }
  if (only_rows_without_keys) {
    return {"masked_rows",
            "L is wrong only for queries that see no key. Their sum is empty: L = -INFINITY.",
            topic};
  }
  for (const Formula& formula : kFormulas) {
    if (explains(evidence, formula)) return {formula.cause, formula.text, topic};
  }
  if (evidence.comparison.unwritten > 0) {
    return {
        "unwritten",
        format("%zu of %zu elements of L were never written: one for each query, the last tile's "
               "included.",
               evidence.comparison.unwritten, evidence.comparison.total),
        topic};
  }
  return {
      "lse_wrong",
      "O is right, so m and l are: look at what is stored, m + ln l, and at which row it goes to, "
      "L[(b * heads + h) * Nq + i].",
      topic};
}

}  // namespace flashlab::judge
