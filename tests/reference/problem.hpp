// Inputs and comparisons that the tests of the reference share.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/attention.hpp"

namespace flashlab::reference {

/// A shape and normally distributed inputs for it, the same on every run.
struct Problem {
  AttentionShape shape;
  std::vector<double> Q, K, V;

  explicit Problem(const AttentionShape& s, double sigma = 1.0, unsigned seed = 1) : shape(s) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal(0.0, sigma);
    const auto fill = [&](std::vector<double>& tensor, int heads, int seq) {
      tensor.resize(static_cast<std::size_t>(s.batch) * heads * seq * s.head_dim);
      for (double& x : tensor) x = normal(generator);
    };
    fill(Q, s.heads_q, s.seq_q);
    fill(K, s.heads_kv, s.seq_k);
    fill(V, s.heads_kv, s.seq_k);
  }

  AttentionResult solve(Keep keep = Keep::kOutput) const {
    return attention_forward(shape, Q, K, V, keep);
  }
};

/// Succeeds when both have the same size and every |got - want| <= tolerance. Infinities must be
/// equal; NaN always fails.
inline testing::AssertionResult near(const std::vector<double>& got,
                                     const std::vector<double>& want, double tolerance) {
  if (got.size() != want.size()) {
    return testing::AssertionFailure()
           << "has " << got.size() << " elements, expected " << want.size();
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == want[i] || std::abs(got[i] - want[i]) <= tolerance) continue;
    return testing::AssertionFailure()
           << "element " << i << " is " << got[i] << ", expected " << want[i] << " within "
           << tolerance << " (difference " << got[i] - want[i] << ")";
  }
  return testing::AssertionSuccess();
}

/// The message of the std::invalid_argument that `action` throws, or a text that says what happened
/// instead.
template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace flashlab::reference
