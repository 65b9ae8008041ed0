// The engine of the rules that compute what a wrong formula would give.
#include <algorithm>
#include <cmath>
#include <limits>

#include "hypotheses.hpp"

namespace flashlab::judge {
namespace {

using reference::RowMatrix;
using MatrixView = Eigen::Map<const RowMatrix>;

RowMatrix softmax(RowMatrix scores) {
  reference::softmax_rows(scores);
  return scores;
}

enum class Match {
  kNone,     ///< the hypothesis predicts something else than what came
  kSame,     ///< it predicts what came, but so does the right formula
  kExplains  ///< it predicts what came, which the right formula does not
};

/// How a hypothesis fits what came in these rows.
Match match(const Evidence& evidence, const Hypothesis& hypothesis, const Rows& rows) {
  const Values predicted = hypothesis.output(rows);
  double largest = evidence.expected.max_abs_value;
  for (const double value : predicted) largest = std::max(largest, std::abs(value));
  if (!std::isfinite(largest)) return Match::kNone;
  const ErrorBound bound =
      error_bound(evidence.lab.tolerance, evidence.expected.max_abs_score, largest);
  const DiagnosisLimits& limits = evidence.lab.diagnosis;
  const double allowed = std::min((bound.absolute + bound.relative * largest) * limits.match_factor,
                                  evidence.comparison.max_abs_error * limits.match_fraction);
  const size_t d = evidence.shape.head_dim;
  bool differs = false;
  for (size_t i = 0; i < predicted.size(); ++i) {
    const size_t slice = i / d / rows.size(), row = rows[i / d % rows.size()];
    const size_t at = (slice * evidence.shape.seq_q + row) * d + i % d;
    if (!(std::abs(evidence.O[at] - predicted[i]) <= allowed)) return Match::kNone;
    differs = differs || !(std::abs(evidence.expected.O[at] - predicted[i]) <= allowed);
  }
  return differs ? Match::kExplains : Match::kSame;
}

/// At most `count` rows, spread over all, the first and the last among them.
Rows some_rows(const Shape& shape, int count) {
  Rows rows;
  const int last = shape.seq_q - 1;
  const int steps = std::max(1, std::min(count - 1, last));
  for (int i = 0; i <= steps; ++i) {
    const int row = static_cast<int>(static_cast<int64_t>(last) * i / steps);
    if (rows.empty() || row > rows.back()) rows.push_back(row);
  }
  return rows;
}

/// Rows on which a hypothesis is tried first: most fail there already.
constexpr int kSampledRows = 12;

}  // namespace

Problem original(const Evidence& evidence) {
  const Inputs& inputs = evidence.inputs;
  const Shape& shape = evidence.shape;
  const int offset = shape.causal ? shape.seq_k - shape.seq_q : std::numeric_limits<int>::max() / 2;
  return {shape,
          shape.scale,
          {inputs.Q.begin(), inputs.Q.end()},
          {inputs.K.begin(), inputs.K.end()},
          {inputs.V.begin(), inputs.V.end()},
          [offset](int i, int j) { return j <= i + offset; }};
}

Values solve(const Problem& problem, const Rows& rows, const Weights& weights) {
  const Shape& shape = problem.shape;
  const Eigen::Index n = shape.seq_q, keys = shape.seq_k, d = shape.head_dim;
  const auto count = static_cast<Eigen::Index>(rows.size());
  Values result(shape.slices() * count * d);
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    const MatrixView q(problem.Q.data() + slice * n * d, n, d);
    const MatrixView k(problem.K.data() + slice * keys * d, keys, d);
    const MatrixView v(problem.V.data() + slice * keys * d, keys, d);
    RowMatrix scores = problem.scale * (q(rows, Eigen::all) * k.transpose());
    for (Eigen::Index r = 0; r < count; ++r) {
      for (int j = 0; j < keys; ++j) {
        if (!problem.sees(rows[r], j)) scores(r, j) = -std::numeric_limits<double>::infinity();
      }
    }
    Eigen::Map<RowMatrix>(result.data() + slice * count * d, count, d) =
        (weights ? weights(std::move(scores)) : softmax(std::move(scores))) * v;
  }
  return result;
}

std::optional<Diagnosis> diagnose_formula(const Evidence& evidence) {
  if (evidence.comparison.not_finite > 0) return std::nullopt;
  std::vector<Hypothesis> list;
  add_mask_hypotheses(evidence, list);
  add_attention_hypotheses(evidence, list);
  add_online_hypotheses(evidence, list);
  add_factor(evidence, list);
  const Rows few = some_rows(evidence.shape, kSampledRows);
  const Rows all = some_rows(evidence.shape, evidence.shape.seq_q);
  for (const Hypothesis& hypothesis : list) {
    if (match(evidence, hypothesis, few) == Match::kNone) continue;
    if (match(evidence, hypothesis, all) == Match::kExplains) {
      return Diagnosis{hypothesis.cause, hypothesis.text, hypothesis.topic};
    }
  }
  return std::nullopt;
}

}  // namespace flashlab::judge
