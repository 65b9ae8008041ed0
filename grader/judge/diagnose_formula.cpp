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

/// Whether `predicted` explains what came, far better than the right result does.
bool explains(const Evidence& evidence, const Values& predicted) {
  double largest = 0;
  for (const double value : predicted) largest = std::max(largest, std::abs(value));
  if (!std::isfinite(largest)) return false;
  const double values = std::max(evidence.expected.max_abs_value, largest);
  ErrorBound bound = error_bound(evidence.lab.tolerance, evidence.expected.max_abs_score, values);
  const DiagnosisLimits& limits = evidence.lab.diagnosis;
  bound.absolute = std::min(bound.absolute * limits.match_factor,
                            evidence.comparison.max_abs_error * limits.match_fraction);
  bound.relative *= limits.match_factor;
  bool differs = false;
  for (size_t i = 0; i < predicted.size(); ++i) {
    if (!bound.holds(evidence.O[i], predicted[i])) return false;
    differs = differs || !bound.holds(evidence.expected.O[i], predicted[i]);
  }
  return differs;
}

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

Values solve(const Problem& problem, const Weights& weights) {
  const Shape& shape = problem.shape;
  const Eigen::Index n = shape.seq_q, keys = shape.seq_k, d = shape.head_dim;
  Values result(shape.q_elements());
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    const MatrixView q(problem.Q.data() + slice * n * d, n, d);
    const MatrixView k(problem.K.data() + slice * keys * d, keys, d);
    const MatrixView v(problem.V.data() + slice * keys * d, keys, d);
    RowMatrix scores = problem.scale * (q * k.transpose());
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < keys; ++j) {
        if (!problem.sees(i, j)) scores(i, j) = -std::numeric_limits<double>::infinity();
      }
    }
    Eigen::Map<RowMatrix>(result.data() + slice * n * d, n, d) =
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
  for (const Hypothesis& hypothesis : list) {
    if (explains(evidence, hypothesis.output())) {
      return Diagnosis{hypothesis.cause, hypothesis.text, hypothesis.topic};
    }
  }
  return std::nullopt;
}

}  // namespace flashlab::judge
