// Rules that look at where the wrong elements are and what they hold.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "diagnose.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

/// exp(x) of a float32 is infinite above this, and zero below the second (denormals included).
const double kExpOverflow = std::log(std::numeric_limits<float>::max());
const double kExpUnderflow = std::log(std::numeric_limits<float>::denorm_min());

struct Axis {
  const char* one;
  const char* many;
};
constexpr std::array<Axis, 4> kAxes = {
    {{"batch", "batches"}, {"head", "heads"}, {"row", "rows"}, {"column", "columns"}}};

std::array<size_t, 4> extents(const Shape& shape) {
  return {static_cast<size_t>(shape.batch), static_cast<size_t>(shape.heads),
          static_cast<size_t>(shape.seq_q), static_cast<size_t>(shape.head_dim)};
}

/// The region of the elements for which `is_bad` holds: along each axis, the smallest range that
/// contains them all.
template <class Predicate>
std::string region_of(const Shape& shape, Predicate is_bad) {
  std::array<size_t, 4> low, high{};
  low.fill(std::numeric_limits<size_t>::max());
  for (size_t index = 0; index < shape.q_elements(); ++index) {
    if (!is_bad(index)) continue;
    const auto at = position(index, shape, shape.head_dim);
    for (size_t axis = 0; axis < at.size(); ++axis) {
      low[axis] = std::min(low[axis], at[axis]);
      high[axis] = std::max(high[axis], at[axis]);
    }
  }
  std::string text;
  const auto size = extents(shape);
  for (size_t axis = 0; axis < size.size(); ++axis) {
    if (low[axis] == 0 && high[axis] + 1 == size[axis]) continue;
    if (!text.empty()) text += ", ";
    text += low[axis] == high[axis]
                ? format("%s %zu", kAxes[axis].one, low[axis])
                : format("%s %zu to %zu", kAxes[axis].many, low[axis], high[axis]);
    text += format(" of 0..%zu", size[axis] - 1);
  }
  return text.empty() ? text : "only " + text;
}

/// Whether every wrong element is not finite, and lies in rows whose largest score satisfies
/// `condition`.
template <class Condition>
bool only_not_finite_where(const Evidence& evidence, Condition condition) {
  const Comparison& comparison = evidence.comparison;
  if (comparison.not_finite == 0 || comparison.wrong != comparison.not_finite) return false;
  for (size_t index = 0; index < comparison.is_wrong.size(); ++index) {
    const double row_max = evidence.expected.row_max[index / evidence.shape.head_dim];
    if (comparison.is_wrong[index] && !condition(row_max)) return false;
  }
  return true;
}

/// The first wrong element of a stage's matrix, for the message.
std::string describe_first(const char* name, const Comparison& comparison, const Shape& shape) {
  const Mismatch& mismatch = comparison.first.front();
  return describe_position(name, mismatch.index, shape, shape.seq_k, 'j') +
         (is_poison(mismatch.got)
              ? format(" should be %.7g and was never written", mismatch.expected)
              : format(" should be %.7g and is %.7g", mismatch.expected, mismatch.got));
}

/// S or P of the workspace against the reference. A probability inherits the error of its score, at
/// most itself times that error, so one bound serves both.
Comparison compare_stage(const Evidence& evidence, std::span<const float> got,
                         const std::vector<double>& expected) {
  return compare(got, expected,
                 error_bound(evidence.lab.tolerance, evidence.expected.max_abs_score, 1));
}

}  // namespace

std::string describe_region(const Evidence& evidence) {
  return describe_region(evidence.shape, evidence.comparison.is_wrong);
}

std::string describe_region(const Shape& shape, const std::vector<bool>& is_bad) {
  return region_of(shape, [&](size_t index) { return is_bad[index]; });
}

std::string describe_no_tile(const Lab& lab, const Shape& shape) {
  const std::vector<int>& tiles = lab.diagnosis.tiles;
  const int rows = std::min(shape.seq_q, shape.seq_k);
  if (tiles.empty() || rows >= std::ranges::min(tiles)) return "";
  return format(
      " Or is the number of tiles, or of blocks, N / tile, which is 0 for N = %d? Round it up.",
      rows);
}

std::optional<Diagnosis> diagnose_unwritten(const Evidence& evidence) {
  const Comparison& comparison = evidence.comparison;
  if (comparison.unwritten == 0) return std::nullopt;
  if (comparison.unwritten == comparison.total) {
    return Diagnosis{"unwritten",
                     "O was never written. Is the last kernel launched, with a grid that is not "
                     "empty, and does it store to O?" +
                         describe_no_tile(evidence.lab, evidence.shape),
                     "weighted_sum"};
  }
  const std::string region =
      region_of(evidence.shape, [&](size_t index) { return is_poison(evidence.O[index]); });
  return Diagnosis{
      "unwritten",
      "Part of O was never written: " + (region.empty() ? "elements all over it" : region) +
          ". When a size is no multiple of the block, the last block is a partial one: round the "
          "grid "
          "up, ceil(N / block), and guard the stores.",
      "weighted_sum"};
}

std::optional<Diagnosis> diagnose_masked_rows(const Evidence& evidence) {
  for (size_t index = 0; index < evidence.comparison.is_wrong.size(); ++index) {
    const double row_max = evidence.expected.row_max[index / evidence.shape.head_dim];
    if (evidence.comparison.is_wrong[index] && std::isfinite(row_max)) return std::nullopt;
  }
  return Diagnosis{
      "masked_rows",
      "O is wrong only for queries that see no key (i < Nq - Nk). Their O is 0. With m = "
      "-INFINITY, exp(s - m) is exp(-inf + inf), NaN: take 0 for such an m, and divide "
      "only by an l that is not 0.",
      "mask"};
}

std::optional<Diagnosis> diagnose_underflow(const Evidence& evidence) {
  for (size_t index = 0; index < evidence.comparison.is_wrong.size(); ++index) {
    if (!evidence.comparison.is_wrong[index]) continue;
    const double row_max = evidence.expected.row_max[index / evidence.shape.head_dim];
    const float got = evidence.O[index];
    if (!(row_max < kExpUnderflow) || (std::isfinite(got) && got != 0)) return std::nullopt;
  }
  return Diagnosis{
      "underflow",
      format("O is 0, NaN or infinite where all scores of a row are below %.1f: every exp is 0 and "
             "the "
             "sum too. Subtract the row's maximum, and start the search for it at -INFINITY, "
             "not at 0.",
             kExpUnderflow),
      "softmax"};
}

std::optional<Diagnosis> diagnose_zero(const Evidence& evidence) {
  if (!std::ranges::all_of(evidence.O, [](float value) { return value == 0; })) return std::nullopt;
  return Diagnosis{
      "all_zero",
      "O is zero everywhere. Is the sum stored, and are P and V read from the right buffers?" +
          describe_no_tile(evidence.lab, evidence.shape),
      "weighted_sum"};
}

std::optional<Diagnosis> diagnose_not_finite(const Evidence& evidence) {
  if (only_not_finite_where(evidence, [](double m) { return m > kExpOverflow; })) {
    return Diagnosis{
        "missing_max",
        format(
            "O is NaN or infinite exactly where a row's largest score exceeds %.1f: exp overflows. "
            "Subtract the row's maximum before the exponential.",
            kExpOverflow),
        "softmax"};
  }
  if (evidence.comparison.not_finite == 0) return std::nullopt;
  std::optional<Diagnosis> stage = diagnose_stage(evidence);
  const std::string region =
      region_of(evidence.shape, [&](size_t index) { return !std::isfinite(evidence.O[index]); });
  const std::string where = region.empty() ? "all over it" : region;
  return Diagnosis{
      "not_finite",
      "O has NaN or infinite elements, " + where + ". " +
          (stage
               ? stage->text
               : "Scratch and shared memory hold NaN until they are written: is every element that "
                 "is "
                 "read also written, the rows of a partial tile included (0 * NaN is NaN), and is "
                 "nothing divided by 0?"),
      stage ? stage->topic : "debugging"};
}

std::optional<Diagnosis> diagnose_lost_precision(const Evidence& evidence) {
  const double near_miss = evidence.lab.diagnosis.near_miss;
  const auto is_near = [](const Comparison& comparison, double limit) {
    return comparison.not_finite == 0 && comparison.max_abs_error <= limit;
  };
  const auto explain = [](const char* tensor, const Comparison& comparison, const char* topic) {
    return Diagnosis{"lost_precision",
                     format("%s is close, but off by up to %.2g where float32 gives %.2g. Is "
                            "something kept in half "
                            "precision, approximated, or are a few terms of a sum lost?",
                            tensor, comparison.max_abs_error, comparison.bound.absolute),
                     topic};
  };
  if (is_near(evidence.comparison, near_miss * evidence.expected.max_abs_value)) {
    return explain("O", evidence.comparison, "debugging");
  }
  if (evidence.S.empty()) return std::nullopt;
  // Large scores enlarge a small error: S shows it. Its range is the measure, for a common shift
  // cancels in the softmax.
  const auto [low, high] = std::ranges::minmax(evidence.expected.S);
  const Comparison scores = compare_stage(evidence, evidence.S, evidence.expected.S);
  if (scores.ok() || !is_near(scores, near_miss * (high - low))) return std::nullopt;
  return explain("S", scores, "scores");
}

std::optional<Diagnosis> diagnose_stage(const Evidence& evidence) {
  if (evidence.S.empty() || evidence.P.empty()) return std::nullopt;
  const auto& expected = evidence.expected;
  const Comparison scores = compare_stage(evidence, evidence.S, expected.S);
  if (!scores.ok()) {
    return Diagnosis{
        "scores_wrong",
        "The fault is in the first stage: " + describe_first("S", scores, evidence.shape) +
            format(" (%zu of %zu scores are wrong).", scores.wrong, scores.total),
        "scores"};
  }
  const Comparison probabilities = compare_stage(evidence, evidence.P, expected.P);
  if (!probabilities.ok()) {
    return Diagnosis{"softmax_wrong",
                     "S is right, P is wrong: the fault is in the softmax. " +
                         describe_first("P", probabilities, evidence.shape) + ".",
                     "softmax"};
  }
  const std::string region = describe_region(evidence);
  return Diagnosis{"weighted_sum_wrong",
                   "S and P are right, O is wrong: the fault is in the product of P and V" +
                       (region.empty() ? "." : " (" + region + ")."),
                   "weighted_sum"};
}

}  // namespace flashlab::judge
