// Attention: the causal mask, aligned to the bottom right corner, and rows that see no key.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "problem.hpp"

namespace flashlab::reference {
namespace {

using Doubles = std::vector<double>;
constexpr double kInf = std::numeric_limits<double>::infinity();

Problem causal(int seq_q, int seq_k, int head_dim = 3) {
  return Problem(
      {.seq_q = seq_q, .seq_k = seq_k, .head_dim = head_dim, .scale = 0.8, .causal = true});
}

/// The pattern of P: one line per query, x for a key that it sees, . for a masked one.
std::string pattern(const Problem& problem) {
  const AttentionResult r = problem.solve(Keep::kScoresAndProbabilities);
  std::string text;
  for (std::size_t i = 0; i < r.P.size(); ++i) {
    EXPECT_EQ(r.P[i] == 0.0, r.S[i] == -kInf);
    text += r.P[i] > 0 ? 'x' : '.';
    if ((i + 1) % problem.shape.seq_k == 0) text += '\n';
  }
  return text;
}

TEST(AttentionMasks, SquareIsLowerTriangular) {
  EXPECT_EQ(pattern(causal(3, 3)), "x..\nxx.\nxxx\n");
}

TEST(AttentionMasks, MoreKeysThanQueriesEndInTheBottomRightCorner) {
  EXPECT_EQ(pattern(causal(2, 5)), "xxxx.\nxxxxx\n");
}

TEST(AttentionMasks, MoreQueriesThanKeysLeaveTheFirstRowsEmpty) {
  EXPECT_EQ(pattern(causal(4, 2)), "..\n..\nx.\nxx\n");
}

TEST(AttentionMasks, OneQuerySeesEveryKey) {
  Problem problem = causal(1, 20);
  const AttentionResult masked = problem.solve();
  problem.shape.causal = false;
  EXPECT_EQ(masked.O, problem.solve().O);
}

TEST(AttentionMasks, FirstRowOfASquareIsTheFirstValue) {
  const Problem problem = causal(100, 100);
  const AttentionResult r = problem.solve();
  for (int c = 0; c < 3; ++c) EXPECT_DOUBLE_EQ(r.O[c], problem.V[c]);
  EXPECT_DOUBLE_EQ(r.L[0], r.row_max[0]);
}

TEST(AttentionMasks, EachRowIsAttentionOverItsOwnPrefix) {
  // 130 rows: three blocks of the implementation, of which the last is ragged.
  for (const int seq_k : {130, 150, 90}) {
    const Problem problem = causal(130, seq_k);
    const AttentionResult whole = problem.solve();
    for (int i = 0; i < 130; ++i) {
      const int visible = i + seq_k - 130 + 1;
      if (visible < 1) continue;
      Problem row = problem;
      row.shape.causal = false;
      row.shape.seq_q = 1;
      row.shape.seq_k = visible;
      row.Q.assign(problem.Q.begin() + 3 * i, problem.Q.begin() + 3 * (i + 1));
      row.K.resize(3 * visible);
      row.V.resize(3 * visible);
      const AttentionResult alone = row.solve();
      EXPECT_TRUE(near({whole.O.begin() + 3 * i, whole.O.begin() + 3 * (i + 1)}, alone.O, 1e-13))
          << "row " << i;
      EXPECT_NEAR(whole.L[i], alone.L[0], 1e-13) << "row " << i;
    }
  }
}

TEST(AttentionMasks, RowsWithoutKeysAreZeroWithMinusInfinity) {
  // 100 - 20 = 80 rows see nothing: a whole block of the implementation and part of the next.
  const Problem problem = causal(100, 20);
  const AttentionResult r = problem.solve();
  for (int i = 0; i < 100; ++i) {
    const bool empty = i < 80;
    EXPECT_EQ(r.L[i] == -kInf, empty) << "row " << i;
    EXPECT_EQ(r.row_max[i] == -kInf, empty) << "row " << i;
    for (int c = 0; c < 3; ++c) {
      EXPECT_TRUE(std::isfinite(r.O[3 * i + c]));
      EXPECT_EQ(r.O[3 * i + c] == 0.0, empty) << "row " << i;
    }
  }
}

TEST(AttentionMasks, MaximaIgnoreMaskedScores) {
  // The only score that is seen is 1 * 2; the masked ones are 50 times as large.
  const AttentionShape shape{.seq_q = 2, .seq_k = 1, .scale = 1.0, .causal = true};
  const AttentionResult r = attention_forward(shape, Doubles{50, 1}, Doubles{2}, Doubles{-3});
  EXPECT_EQ(r.max_abs_score, 2.0);
  EXPECT_EQ(r.max_abs_value, 3.0);
  EXPECT_EQ(r.O, (Doubles{0, -3}));
}

}  // namespace
}  // namespace flashlab::reference
