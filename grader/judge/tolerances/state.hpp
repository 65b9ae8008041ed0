// The state (m, l, o) of the online softmax in float32 or less.
#pragma once

#include <limits>
#include <vector>

#include "tolerances/rounding.hpp"

namespace flashlab::judge::tolerances {

/// The state after some keys: m the largest score, l the sum of exp(score - m), and o that sum with
/// the values as weights, not divided by l. o [1, width] may be empty.
struct State {
  float m = -std::numeric_limits<float>::infinity(), l = 0;
  Row o;
};

/// Takes in keys: scores [1, n] and values [n, width], `how.tile` at a time.
void absorb(State& state, const Row& scores, const Eigen::Ref<const Matrix>& values,
            const Arithmetic& how);

/// The state of the keys of both.
State merge(const State& a, const State& b, const Arithmetic& how);

/// All merged, in the order of `how`: one after another, or as a tree (kPairwise: of neighbours at
/// growing distance; kShuffled: of pairs drawn at random). At least one.
State merge_all(std::vector<State> states, const Arithmetic& how);

/// The state of a row of scores: of `how.splits` ranges of keys each, merged.
State state_of(const Row& scores, const Eigen::Ref<const Matrix>& values, const Arithmetic& how);

}  // namespace flashlab::judge::tolerances
