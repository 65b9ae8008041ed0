#include "bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashlab::judge {
namespace {

constexpr double kEps32 = std::numeric_limits<float>::epsilon();

/// The largest finite magnitude.
double largest(std::span<const float> values) {
  double size = 0;
  for (const float value : values) {
    if (std::isfinite(value)) size = std::max(size, std::abs(static_cast<double>(value)));
  }
  return size;
}

/// The largest sum of a column of P: how much weight a key gets from all queries together.
double largest_column_sum(const Shape& shape, const std::vector<double>& P) {
  double most = 0;
  const size_t n = shape.seq_q, keys = shape.seq_k;
  std::vector<double> sums(keys);
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    std::ranges::fill(sums, 0);
    for (size_t at = slice * n * keys; at < (slice + 1) * n * keys; ++at) sums[at % keys] += P[at];
    most = std::max(most, *std::ranges::max_element(sums));
  }
  return most;
}

}  // namespace

reference::AttentionShape exact_shape(const Shape& shape) {
  return {shape.batch, shape.heads,    shape.heads, shape.seq_q,
          shape.seq_k, shape.head_dim, shape.scale, shape.causal};
}

void solve(BackwardStandard& standard, const Shape& problem) {
  const reference::AttentionShape shape = exact_shape(problem);
  const std::span<const float> Q = standard.inputs.Q, K = standard.inputs.K, V = standard.inputs.V;
  standard.forward =
      reference::attention_forward(shape, Q, K, V, reference::Keep::kScoresAndProbabilities);
  standard.gradients = reference::attention_backward(shape, Q, K, V, standard.dO);
}

BackwardStandard make_backward_standard(const CaseSpec& spec, uint64_t seed) {
  BackwardStandard standard;
  standard.inputs = draw_inputs(spec, seed);
  standard.dO = draw_output_gradient(spec, seed);
  solve(standard, spec.shape);
  return standard;
}

ErrorBound gradient_bound(const Tolerance& tolerance, const Shape& shape,
                          const BackwardStandard& standard, std::string_view gradient) {
  const double part_of_p = (1 + standard.forward.max_abs_score) * kEps32 * tolerance.eps_factor;
  const double weight = largest_column_sum(shape, standard.forward.P);
  const double ds = 2 * standard.gradients.max_abs_dp * part_of_p * std::abs(shape.scale);
  double absolute = 0;
  if (gradient == "dV") absolute = part_of_p * largest(standard.dO) * weight;
  if (gradient == "dK") absolute = ds * largest(standard.inputs.Q) * weight;
  if (gradient == "dQ") absolute = ds * largest(standard.inputs.K);
  return {std::max(tolerance.absolute, absolute), tolerance.relative};
}

ErrorBound online_bound(const Tolerance& tolerance, std::span<const float> scores, double size) {
  const double relative = tolerance.relative + tolerance.eps_factor * kEps32 * largest(scores);
  return {std::max(tolerance.absolute, relative * size), relative};
}

ErrorBound maximum_bound(const Tolerance& tolerance) {
  return {tolerance.absolute, tolerance.eps_factor * kEps32};
}

}  // namespace flashlab::judge
