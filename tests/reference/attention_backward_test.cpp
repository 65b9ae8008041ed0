// Attention backward: against central finite differences of the forward pass, by hand, and at the
// edges of the mask.
#include "reference/attention_backward.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "problem.hpp"

namespace flashlab::reference {
namespace {

using Doubles = std::vector<double>;

/// A problem with the gradient of the loss with respect to O. The loss is sum(dO o O).
struct BackwardProblem : Problem {
  Doubles dO;

  explicit BackwardProblem(const AttentionShape& s) : Problem(s) {
    std::mt19937_64 generator(2);
    std::normal_distribution<double> normal;
    dO.resize(Q.size());
    for (double& x : dO) x = normal(generator);
  }
  double loss() const {
    const Doubles O = solve().O;
    return std::inner_product(O.begin(), O.end(), dO.begin(), 0.0);
  }
  AttentionGradients gradients() const { return attention_backward(shape, Q, K, V, dO); }
};

/// (loss(x + h) - loss(x - h)) / 2h for each element x of `tensor`, a member of `problem`.
/// Error: h^2 / 6 times the third derivative, and rounding of about 1e-16 / h.
Doubles finite_differences(BackwardProblem& problem, Doubles& tensor) {
  constexpr double kStep = 1e-5;
  Doubles result;
  for (double& x : tensor) {
    const double middle = x;
    x = middle + kStep;
    const double above = problem.loss();
    x = middle - kStep;
    const double below = problem.loss();
    x = middle;
    result.push_back((above - below) / (2 * kStep));
  }
  return result;
}

TEST(AttentionBackward, EqualsFiniteDifferences) {
  for (const AttentionShape& shape : {
           AttentionShape{1, 1, 1, 1, 1, 1, 1.0, false},
           AttentionShape{2, 3, 3, 5, 5, 4, 0.5, false},
           AttentionShape{2, 4, 2, 7, 9, 3, 0.7, true},    // grouped heads, more keys
           AttentionShape{1, 2, 1, 9, 4, 3, -0.6, true},   // rows without keys
           AttentionShape{1, 1, 1, 70, 6, 2, 0.8, false},  // more rows than one block
           AttentionShape{1, 1, 1, 70, 69, 1, 0.8, true},
       }) {
    SCOPED_TRACE("seq_q " + std::to_string(shape.seq_q) + ", seq_k " + std::to_string(shape.seq_k));
    BackwardProblem problem(shape);
    const AttentionGradients got = problem.gradients();
    EXPECT_TRUE(near(got.dQ, finite_differences(problem, problem.Q), 1e-8));
    EXPECT_TRUE(near(got.dK, finite_differences(problem, problem.K), 1e-8));
    EXPECT_TRUE(near(got.dV, finite_differences(problem, problem.V), 1e-8));
  }
}

// One query, P = [1/4, 3/4] (scores 0 and ln 3), dO = 2: dP = 2 V = [2, 10], D = 1/4 2 + 3/4 10 =
// 8, dS = [1/4 (2 - 8), 3/4 (10 - 8)] = [-1.5, 1.5].
TEST(AttentionBackward, HandComputed) {
  const double ln3 = std::log(3.0);
  const AttentionShape shape{.seq_k = 2, .scale = 0.5};
  const AttentionGradients g =
      attention_backward(shape, Doubles{2}, Doubles{0, ln3}, Doubles{1, 5}, Doubles{2});
  EXPECT_TRUE(near(g.D, {8}, 1e-14));
  EXPECT_TRUE(near(g.dV, {0.5, 1.5}, 1e-15));
  EXPECT_TRUE(near(g.dQ, {0.5 * 1.5 * ln3}, 1e-15));
  EXPECT_TRUE(near(g.dK, {0.5 * -1.5 * 2, 0.5 * 1.5 * 2}, 1e-15));
  EXPECT_EQ(g.max_abs_dp, 10.0);
}

TEST(AttentionBackward, DIsTheRowSumOfTheGradientTimesTheOutput) {
  const BackwardProblem problem({2, 2, 1, 70, 30, 5, 0.4, true});
  const Doubles O = problem.solve().O, D = problem.gradients().D;
  for (std::size_t row = 0; row < D.size(); ++row) {
    const auto first = static_cast<std::ptrdiff_t>(5 * row);
    EXPECT_NEAR(D[row],
                std::inner_product(O.begin() + first, O.begin() + first + 5,
                                   problem.dO.begin() + first, 0.0),
                1e-13);
  }
}

TEST(AttentionBackward, RowsWithoutKeysGiveAndGetNothing) {
  // 80 of 100 rows see nothing: a whole block of the implementation and part of the next.
  BackwardProblem problem({.seq_q = 100, .seq_k = 20, .head_dim = 3, .scale = 0.8, .causal = true});
  const AttentionGradients before = problem.gradients();
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(before.D[i] == 0.0, i < 80) << "row " << i;
    // Row 80 sees one key: P = 1 whatever its score, so dS = 0 and dQ is rounding at most.
    EXPECT_EQ(std::abs(before.dQ[3 * i]) < 1e-15, i <= 80) << "row " << i;
  }
  std::fill_n(problem.dO.begin(), 80 * 3, 1e6);
  const AttentionGradients after = problem.gradients();
  EXPECT_EQ(after.dK, before.dK);
  EXPECT_EQ(after.dV, before.dV);
  EXPECT_EQ(after.max_abs_dp, before.max_abs_dp);
}

TEST(AttentionBackward, FloatInputsAreTheSameNumbers) {
  BackwardProblem problem(
      {.batch = 2, .heads_q = 2, .heads_kv = 2, .seq_q = 9, .seq_k = 8, .head_dim = 4});
  const auto narrow = [](Doubles& tensor) {
    std::vector<float> result(tensor.begin(), tensor.end());
    tensor.assign(result.begin(), result.end());
    return result;
  };
  const auto Q = narrow(problem.Q), K = narrow(problem.K), V = narrow(problem.V),
             dO = narrow(problem.dO);
  const AttentionGradients from_float = attention_backward(problem.shape, Q, K, V, dO);
  const AttentionGradients from_double = problem.gradients();
  EXPECT_EQ(from_float.dQ, from_double.dQ);
  EXPECT_EQ(from_float.dK, from_double.dK);
  EXPECT_EQ(from_float.dV, from_double.dV);
}

TEST(AttentionBackward, RefusesWhatItCannotJudge) {
  const AttentionShape shape{.seq_q = 2, .head_dim = 2};
  const Doubles Q(4), K(2), V(2);
  EXPECT_EQ(refusal([&] { attention_backward(shape, Q, K, V, Doubles(3)); }),
            "attention: dO has 3 elements, but its shape [1, 1, 2, 2] needs 4");
  EXPECT_EQ(refusal([&] {
              attention_backward(shape, Q, K, V, Doubles{0, NAN, 0, 0});
            }),
            "attention: dO[1] is nan, inputs must be finite");
}

}  // namespace
}  // namespace flashlab::reference
