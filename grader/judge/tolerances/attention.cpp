// Attention forward in many arithmetics, a row at a time.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tolerances/problem.hpp"
#include "tolerances/state.hpp"

namespace flashlab::judge::tolerances {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Results compute(const Shape& shape, const Inputs& inputs, const Arithmetic& how, size_t stride) {
  const int n = shape.seq_q, d = shape.head_dim;
  Results results = {std::vector<double>(shape.q_elements(), kNan),
                     std::vector<double>(shape.rows(), kNan)};
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    const Matrix Q = matrix_of(inputs.Q, slice, n, d);
    const Matrix keys = matrix_of(inputs.K, slice, shape.seq_k, d, how.factors).transpose();
    const Matrix V = matrix_of(inputs.V, slice, shape.seq_k, d, how.factors);
    for (int i = 0; i < n; i += static_cast<int>(stride)) {
      Row scores = scores_of(Q.row(i), keys, shape.scale, how);
      scores.tail(shape.seq_k - visible_keys(shape, i)) = -kInf;
      const State state = state_of(scores, V, how);
      const size_t row = slice * n + i;
      for (int c = 0; c < d; ++c) {
        results[0][row * d + c] = state.l > 0 ? rounded(state.o[c] / state.l, how.results) : 0.0;
      }
      results[1][row] = rounded(state.m + std::log(state.l), how.results);
    }
  }
  return results;
}

Results means(const Shape& shape, const Inputs& inputs) {
  const int d = shape.head_dim;
  Results results(2);
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    const auto V = matrix_of(inputs.V, slice, shape.seq_k, d).cast<double>().eval();
    for (int i = 0; i < shape.seq_q; ++i) {
      const int seen = visible_keys(shape, i);
      for (int c = 0; c < d; ++c) {
        results[0].push_back(seen > 0 ? V.col(c).head(seen).mean() : 0.0);
      }
      results[1].push_back(std::log(static_cast<double>(seen)));
    }
  }
  return results;
}

}  // namespace

Problem attention_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                          bool has_log_sum_exp) {
  const Shape shape = spec.shape;
  const Inputs inputs = draw_inputs(spec, seed);
  const std::span<const float> Q = inputs.Q, K = inputs.K, V = inputs.V;
  reference::AttentionResult right = reference::attention_forward(exact_shape(shape), Q, K, V);
  const size_t rows = shape.seq_q, d = shape.head_dim;
  Problem problem;
  problem.outputs = {{"O", std::move(right.O), d, rows,
                      error_bound(lab.tolerance, right.max_abs_score, right.max_abs_value)}};
  if (has_log_sum_exp) {
    problem.outputs.push_back(
        {"L", std::move(right.L), 1, rows, error_bound(lab.tolerance, right.max_abs_score, 1)});
  }
  problem.right = honest_ways();
  problem.compute = [shape, inputs](const Arithmetic& how, size_t stride) {
    return compute(shape, inputs, how, stride);
  };
  problem.uniform = [shape, inputs] { return means(shape, inputs); };
  return problem;
}

}  // namespace flashlab::judge::tolerances
