#include "tolerances/state.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace flashlab::judge::tolerances {
namespace {

using Eigen::Index;

/// exp(m - new_m), what a state's l and o are multiplied by when its maximum rises.
float rescaling(float m, float new_m, const Arithmetic& how) {
  return exponentials(Row::Constant(1, m), new_m, how)[0];
}

void round_state(State& state, Format format) {
  state.l = rounded(state.l, format);
  round_all(state.o, format);
}

void absorb_tile(State& state, const Row& scores, const Eigen::Ref<const Matrix>& values,
                 const Arithmetic& how) {
  const float m = std::max(state.m, scores.maxCoeff());
  if (std::isinf(m)) return;
  const float factor = rescaling(state.m, m, how);
  Row weights = exponentials(scores, m, how);
  round_all(weights, how.factors);
  if (how.divide_each) state.o *= state.l;
  state = {m, state.l * factor, state.o * factor};
  round_state(state, how.results);
  Row l = Row::Constant(1, state.l);
  add_weighted(l, weights, Matrix::Ones(values.rows(), 1), how);
  state.l = l[0];
  add_weighted(state.o, weights, values, how);
  if (how.divide_each) state.o /= state.l;
}

}  // namespace

void absorb(State& state, const Row& scores, const Eigen::Ref<const Matrix>& values,
            const Arithmetic& how) {
  const Index n = scores.size(), tile = how.tile > 0 ? how.tile : n;
  for (Index first = 0; first < n; first += tile) {
    const Index count = std::min(tile, n - first);
    absorb_tile(state, scores.segment(first, count), values.middleRows(first, count), how);
  }
}

State merge(const State& a, const State& b, const Arithmetic& how) {
  const float m = std::max(a.m, b.m);
  if (std::isinf(m)) return a;
  const float to_a = rescaling(a.m, m, how), to_b = rescaling(b.m, m, how);
  State merged = {m, a.l * to_a + b.l * to_b, a.o * to_a + b.o * to_b};
  round_state(merged, how.results);
  return merged;
}

State merge_all(std::vector<State> states, const Arithmetic& how) {
  if (how.order == Order::kDescending) std::ranges::reverse(states);
  if (how.order == Order::kPairwise) {
    for (size_t distance = 1; distance < states.size(); distance *= 2) {
      for (size_t i = 0; i + distance < states.size(); i += 2 * distance) {
        states[i] = merge(states[i], states[i + distance], how);
      }
    }
    return states[0];
  }
  std::mt19937 random(1);
  while (how.order == Order::kShuffled && states.size() > 1) {
    std::swap(states[random() % states.size()], states.back());
    const State last = std::move(states.back());
    states.pop_back();
    State& other = states[random() % states.size()];
    other = merge(other, last, how);
  }
  State merged = states[0];
  for (size_t i = 1; i < states.size(); ++i) merged = merge(merged, states[i], how);
  return merged;
}

State state_of(const Row& scores, const Eigen::Ref<const Matrix>& values, const Arithmetic& how) {
  const Index n = scores.size(), share = (n + how.splits - 1) / how.splits;
  std::vector<State> parts;
  for (Index first = 0; first < n; first += share) {
    const Index count = std::min(share, n - first);
    State part;
    part.o = Row::Zero(values.cols());
    absorb(part, scores.segment(first, count), values.middleRows(first, count), how);
    if (how.divide_each && part.l > 0) part.o *= part.l;
    parts.push_back(std::move(part));
  }
  return merge_all(std::move(parts), how);
}

}  // namespace flashlab::judge::tolerances
