// Lab 2 in many arithmetics: merged states, statistics of rows and their softmax.
#include <algorithm>
#include <cmath>
#include <limits>

#include "online_states.hpp"
#include "tolerances/problem.hpp"
#include "tolerances/state.hpp"

namespace flashlab::judge::tolerances {
namespace {

using Eigen::Index;

constexpr int kEach = std::numeric_limits<int>::max();  // a state for every part or score

std::vector<Arithmetic> honest_merges() {
  std::vector<Arithmetic> ways = honest_ways();
  ways.push_back({.name = "merged in turn", .splits = kEach});
  ways.push_back(
      {.name = "merged in turn from the end", .order = Order::kDescending, .splits = kEach});
  ways.push_back({.name = "merged as a tree", .order = Order::kPairwise, .splits = kEach});
  ways.push_back({.name = "merged as a random tree", .order = Order::kShuffled, .splits = kEach});
  return ways;
}

double largest(const std::vector<double>& values) {
  double size = 0;
  for (const double value : values) size = std::max(size, std::abs(value));
  return size;
}

/// The parts of one row.
std::vector<State> states_of(const Shape& shape, const PartialStates& parts, size_t row,
                             Format format) {
  const size_t first = row * shape.seq_k;
  const Matrix o = matrix_of(parts.o, row, shape.seq_k, shape.head_dim, format);
  std::vector<State> states;
  for (int p = 0; p < shape.seq_k; ++p) {
    states.push_back(
        {rounded(parts.m[first + p], format), rounded(parts.l[first + p], format), o.row(p)});
  }
  return states;
}

/// All parts weighted by exp(their m - the largest m) at once.
State merge_at_once(const std::vector<State>& parts, const Arithmetic& how) {
  const Index n = static_cast<Index>(parts.size()), d = parts[0].o.size();
  Row m(n);
  Matrix l_and_o(n, d + 1);
  for (Index p = 0; p < n; ++p) {
    m[p] = parts[p].m;
    l_and_o.row(p) << parts[p].l, parts[p].o;
  }
  const float most = m.maxCoeff();
  if (std::isinf(most)) return parts[0];
  Row sums = Row::Zero(d + 1), weights = exponentials(m, most, how);
  round_all(weights, how.factors);
  add_weighted(sums, weights, l_and_o, how);
  return {most, sums[0], sums.tail(d)};
}

Results compute_merge(const Shape& shape, const PartialStates& parts, const Arithmetic& how,
                      size_t stride) {
  const size_t rows = shape.seq_q, d = shape.head_dim;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Results results = {std::vector<double>(rows, nan), std::vector<double>(rows, nan),
                     std::vector<double>(rows * d, nan)};
  for (size_t row = 0; row < rows; row += stride) {
    const std::vector<State> states = states_of(shape, parts, row, how.factors);
    const State merged = how.splits == 1 ? merge_at_once(states, how) : merge_all(states, how);
    results[0][row] = merged.m;
    results[1][row] = merged.l;
    std::ranges::copy(merged.o, results[2].begin() + static_cast<std::ptrdiff_t>(row * d));
  }
  return results;
}

Row row_of(const Shape& shape, std::span<const float> S, size_t row, const Arithmetic& how) {
  Row scores = Eigen::Map<const Row>(S.data() + row * shape.seq_k, shape.seq_k);
  round_all(scores, how.factors);
  return scores;
}

State statistics_of(const Row& scores, const Arithmetic& how) {
  return state_of(scores, Matrix(scores.size(), 0), how);
}

Results compute_statistics(const Shape& shape, const std::vector<float>& S, const Arithmetic& how,
                           size_t stride) {
  const std::vector<double> nothing(shape.seq_q, std::numeric_limits<double>::quiet_NaN());
  Results results = {nothing, nothing};
  for (size_t row = 0; row < nothing.size(); row += stride) {
    const State state = statistics_of(row_of(shape, S, row, how), how);
    results[0][row] = state.m;
    results[1][row] = state.l;
  }
  return results;
}

Results compute_softmax(const Shape& shape, const std::vector<float>& S, const Arithmetic& how,
                        size_t stride) {
  const size_t columns = shape.seq_k;
  Results results = {std::vector<double>(S.size(), std::numeric_limits<double>::quiet_NaN())};
  for (size_t row = 0; row < static_cast<size_t>(shape.seq_q); row += stride) {
    const Row scores = row_of(shape, S, row, how);
    const State state = statistics_of(scores, how);
    Row P = Row::Zero(scores.size());
    if (state.l > 0) P = exponentials(scores, state.m, how) / state.l;
    round_all(P, how.results);
    std::ranges::copy(P, results[0].begin() + static_cast<std::ptrdiff_t>(row * columns));
  }
  return results;
}

}  // namespace

Problem merge_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed) {
  const Shape shape = spec.shape;
  const PartialStates parts = draw_states(spec, seed);
  const RowStates right = merge_parts(shape, parts);
  const size_t rows = shape.seq_q, d = shape.head_dim;
  const ErrorBound bound = online_bound(lab.tolerance, parts.m);
  Problem problem;
  problem.outputs = {
      {"m", right.m, 1, rows, maximum_bound(lab.tolerance)},
      {"l", right.l, 1, rows, bound},
      {"o", right.o, d, rows, online_bound(lab.tolerance, parts.m, largest(right.o))}};
  problem.right = honest_merges();
  problem.compute = [shape, parts](const Arithmetic& how, size_t stride) {
    return compute_merge(shape, parts, how, stride);
  };
  problem.uniform = [shape, parts, right] {
    Results sums = {right.m, std::vector<double>(right.l.size()),
                    std::vector<double>(right.o.size())};
    const size_t each = shape.seq_k, width = shape.head_dim;
    for (size_t i = 0; i < parts.l.size(); ++i) sums[1][i / each] += parts.l[i];
    for (size_t i = 0; i < parts.o.size(); ++i) {
      sums[2][i / (each * width) * width + i % width] += parts.o[i];
    }
    return sums;
  };
  return problem;
}

Problem statistics_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed) {
  const Shape shape = spec.shape;
  const std::vector<float> S = draw_scores(spec, seed);
  const RowStates right = state_of_rows(shape, S);
  const size_t rows = shape.seq_q;
  const ErrorBound bound = online_bound(lab.tolerance, S);
  Problem problem;
  problem.outputs = {{"m", right.m, 1, rows, maximum_bound(lab.tolerance)},
                     {"l", right.l, 1, rows, bound}};
  problem.right = honest_merges();
  problem.compute = [shape, S](const Arithmetic& how, size_t stride) {
    return compute_statistics(shape, S, how, stride);
  };
  problem.uniform = [shape, right]() -> Results {
    return {right.m, std::vector<double>(right.l.size(), shape.seq_k)};
  };
  return problem;
}

Problem softmax_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed) {
  const Shape shape = spec.shape;
  const std::vector<float> S = draw_scores(spec, seed);
  Problem problem;
  problem.outputs = {{"P", probabilities(shape, S, state_of_rows(shape, S)),
                      static_cast<size_t>(shape.seq_k), static_cast<size_t>(shape.seq_q),
                      online_bound(lab.tolerance, S)}};
  problem.right = honest_merges();
  problem.compute = [shape, S](const Arithmetic& how, size_t stride) {
    return compute_softmax(shape, S, how, stride);
  };
  problem.uniform = [shape]() -> Results {
    return {std::vector<double>(shape.scores(), 1.0 / shape.seq_k)};
  };
  return problem;
}

}  // namespace flashlab::judge::tolerances
