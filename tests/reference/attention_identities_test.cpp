// Attention: what must hold for any input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "problem.hpp"

namespace flashlab::reference {
namespace {

constexpr double kTiny = 1e-13;

/// Two batches, grouped heads, seq_q != seq_k, and more query rows than one block of the
/// implementation.
constexpr AttentionShape kShape{
    .batch = 2, .heads_q = 4, .heads_kv = 2, .seq_q = 70, .seq_k = 45, .head_dim = 6, .scale = 0.6};

TEST(AttentionIdentities, ProbabilitiesSumToOne) {
  const AttentionResult r = Problem(kShape).solve(Keep::kScoresAndProbabilities);
  ASSERT_EQ(r.P.size(), 2u * 4 * 70 * 45);
  for (auto row = r.P.begin(); row != r.P.end(); row += 45) {
    EXPECT_NEAR(std::accumulate(row, row + 45, 0.0), 1.0, kTiny);
    EXPECT_GE(*std::min_element(row, row + 45), 0.0);
  }
}

TEST(AttentionIdentities, StatisticsFollowFromTheScores) {
  const AttentionResult r = Problem(kShape).solve(Keep::kScoresAndProbabilities);
  double max_abs = 0.0;
  for (std::size_t i = 0; i < r.L.size(); ++i) {
    const auto row = r.S.begin() + 45 * i;
    const double m = *std::max_element(row, row + 45);
    EXPECT_EQ(r.row_max[i], m);
    double sum = 0.0;
    for (int j = 0; j < 45; ++j) {
      sum += std::exp(row[j]);
      max_abs = std::max(max_abs, std::abs(row[j]));
      // P_ij = exp(S_ij - L_i): how FlashAttention's backward pass recomputes P.
      EXPECT_NEAR(r.P[45 * i + j], std::exp(row[j] - r.L[i]), kTiny);
    }
    EXPECT_NEAR(r.L[i], std::log(sum), kTiny);
  }
  EXPECT_EQ(r.max_abs_score, max_abs);
}

TEST(AttentionIdentities, KeepingScoresChangesNothingElse) {
  for (const bool causal : {false, true}) {
    Problem problem(kShape);
    problem.shape.causal = causal;
    const AttentionResult a = problem.solve(), b = problem.solve(Keep::kScoresAndProbabilities);
    EXPECT_TRUE(near(a.O, b.O, kTiny));
    EXPECT_TRUE(near(a.L, b.L, kTiny));
  }
}

TEST(AttentionIdentities, OrderOfTheKeysDoesNotMatter) {
  const Problem problem(kShape);
  std::vector<int> order(45);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  Problem permuted = problem;
  for (int head = 0; head < 2 * 2; ++head) {
    for (int j = 0; j < 45; ++j) {
      const int to = (head * 45 + j) * 6, from = (head * 45 + order[j]) * 6;
      std::copy_n(&problem.K[from], 6, &permuted.K[to]);
      std::copy_n(&problem.V[from], 6, &permuted.V[to]);
    }
  }
  const AttentionResult a = problem.solve(), b = permuted.solve();
  EXPECT_TRUE(near(b.O, a.O, kTiny));
  EXPECT_TRUE(near(b.L, a.L, kTiny));
}

TEST(AttentionIdentities, ShiftingEachRowOfScoresMovesOnlyL) {
  // Adding the same vector u to every key adds scale * q_i . u to row i.
  const Problem problem(kShape);
  Problem shifted = problem;
  for (double& k : shifted.K) k += 10.0;
  const AttentionResult a = problem.solve(), b = shifted.solve();
  EXPECT_TRUE(near(b.O, a.O, 1e-12));
  for (std::size_t i = 0; i < a.L.size(); ++i) {
    const auto q = problem.Q.begin() + 6 * i;
    EXPECT_NEAR(b.L[i] - a.L[i], 0.6 * 10.0 * std::accumulate(q, q + 6, 0.0), 1e-12);
  }
}

TEST(AttentionIdentities, ConstantValuesComeBack) {
  Problem problem(kShape, 5.0);
  std::fill(problem.V.begin(), problem.V.end(), 3.25);
  EXPECT_TRUE(near(problem.solve().O, std::vector<double>(problem.Q.size(), 3.25), kTiny));
}

TEST(AttentionIdentities, OutputIsLinearInTheValues) {
  const Problem problem(kShape);
  Problem doubled = problem;
  for (double& v : doubled.V) v = 2 * v + 1;
  std::vector<double> expected = problem.solve().O;
  for (double& o : expected) o = 2 * o + 1;
  EXPECT_TRUE(near(doubled.solve().O, expected, kTiny));
}

TEST(AttentionIdentities, GroupedHeadsEqualRepeatedHeads) {
  const Problem grouped(kShape);
  Problem repeated = grouped;
  repeated.shape.heads_kv = 4;
  const auto repeat = [](const std::vector<double>& tensor) {
    constexpr int kHead = 45 * 6;
    std::vector<double> result;
    for (auto head = tensor.begin(); head != tensor.end(); head += kHead) {
      for (int copy = 0; copy < 2; ++copy) result.insert(result.end(), head, head + kHead);
    }
    return result;
  };
  repeated.K = repeat(grouped.K);
  repeated.V = repeat(grouped.V);
  const AttentionResult a = grouped.solve(), b = repeated.solve();
  EXPECT_EQ(a.O, b.O);
  EXPECT_EQ(a.L, b.L);
}

TEST(AttentionIdentities, BatchEntriesAreIndependent) {
  const Problem both(kShape);
  Problem second = both;
  second.shape.batch = 1;
  for (auto* tensor : {&second.Q, &second.K, &second.V}) {
    tensor->erase(tensor->begin(), tensor->begin() + tensor->size() / 2);
  }
  const std::vector<double> all = both.solve().O;
  EXPECT_EQ(second.solve().O, (std::vector<double>(all.begin() + all.size() / 2, all.end())));
}

TEST(AttentionIdentities, SplitKeysCombineThroughL) {
  // Flash-Decoding: with L = ln sum_s exp(L_s) over the splits, O = sum_s exp(L_s - L) O_s.
  Problem problem({.seq_q = 5, .seq_k = 40, .head_dim = 4});
  const AttentionResult whole = problem.solve();
  const auto part = [&](int first, int count) {
    Problem p = problem;
    p.shape.seq_k = count;
    p.K.assign(problem.K.begin() + 4 * first, problem.K.begin() + 4 * (first + count));
    p.V.assign(problem.V.begin() + 4 * first, problem.V.begin() + 4 * (first + count));
    return p.solve();
  };
  const AttentionResult a = part(0, 13), b = part(13, 27);
  for (std::size_t i = 0; i < 5; ++i) {
    const double L = std::log(std::exp(a.L[i]) + std::exp(b.L[i]));
    EXPECT_NEAR(L, whole.L[i], kTiny);
    for (std::size_t c = 4 * i; c < 4 * (i + 1); ++c) {
      EXPECT_NEAR(std::exp(a.L[i] - L) * a.O[c] + std::exp(b.L[i] - L) * b.O[c], whole.O[c], kTiny);
    }
  }
}

}  // namespace
}  // namespace flashlab::reference
