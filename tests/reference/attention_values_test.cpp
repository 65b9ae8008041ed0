// Attention: hand-computed values, the definition written out, and inputs that must be refused.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "problem.hpp"

namespace flashlab::reference {
namespace {

using Doubles = std::vector<double>;

TEST(AttentionValues, SingleElement) {
  // S = 0.5 * 3 * -4 = -6, P = 1, O = V, L = -6.
  const AttentionResult r = attention_forward({.scale = 0.5}, Doubles{3}, Doubles{-4}, Doubles{-7},
                                              Keep::kScoresAndProbabilities);
  EXPECT_EQ(r.S, Doubles{-6});
  EXPECT_EQ(r.P, Doubles{1});
  EXPECT_EQ(r.O, Doubles{-7});
  EXPECT_EQ(r.L, Doubles{-6});
  EXPECT_EQ(r.row_max, Doubles{-6});
  EXPECT_EQ(r.max_abs_score, 6.0);
  EXPECT_EQ(r.max_abs_value, 7.0);
}

// Q = I and K = [[0, ln 3], [ln 2, -ln 3]]^T make S = [[0, ln 3], [ln 2, -ln 3]], exponentials [[1,
// 3], [2, 1/3]]:
//   P = [[1/4, 3/4], [6/7, 1/7]],  L = [ln 4, ln 7/3],  V = [[8, 0], [4, 28]]:  O = [[5, 21],
//   [52/7, 4]].
TEST(AttentionValues, TwoByTwo) {
  const double ln2 = std::log(2.0), ln3 = std::log(3.0);
  const AttentionShape shape{.seq_q = 2, .seq_k = 2, .head_dim = 2, .scale = 2.0};
  const AttentionResult r =
      attention_forward(shape, Doubles{0.5, 0, 0, 0.5}, Doubles{0, ln2, ln3, -ln3},
                        Doubles{8, 0, 4, 28}, Keep::kScoresAndProbabilities);
  EXPECT_TRUE(near(r.S, {0, ln3, ln2, -ln3}, 1e-15));
  EXPECT_TRUE(near(r.P, {1. / 4, 3. / 4, 6. / 7, 1. / 7}, 1e-15));
  EXPECT_TRUE(near(r.O, {5, 21, 52. / 7, 4}, 1e-14));
  EXPECT_TRUE(near(r.L, {std::log(4.0), std::log(7. / 3)}, 1e-15));
  EXPECT_TRUE(near(r.row_max, {ln3, ln2}, 1e-15));
  EXPECT_DOUBLE_EQ(r.max_abs_score, ln3);
  EXPECT_EQ(r.max_abs_value, 28.0);
}

TEST(AttentionValues, ZeroQueriesAverageTheValues) {
  Problem problem({.seq_q = 3, .seq_k = 100, .head_dim = 1});
  problem.Q.assign(3, 0.0);
  for (int j = 0; j < 100; ++j) problem.V[j] = j;
  const AttentionResult r = problem.solve();
  EXPECT_TRUE(near(r.O, Doubles(3, 49.5), 1e-12));
  EXPECT_TRUE(near(r.L, Doubles(3, std::log(100.0)), 1e-14));
}

TEST(AttentionValues, ExtremeScoresPickTheLargest) {
  for (const double scale : {1e4, -1e4}) {
    const AttentionShape shape{.seq_k = 2, .scale = scale};
    const AttentionResult r = attention_forward(shape, Doubles{1}, Doubles{1, -1}, Doubles{10, 20});
    EXPECT_EQ(r.O[0], scale > 0 ? 10.0 : 20.0);
    EXPECT_EQ(r.L[0], 1e4);
    EXPECT_EQ(r.max_abs_score, 1e4);
  }
}

/// O and L straight from the definition, with plain loops in long double and no maximum subtracted.
AttentionResult by_definition(const Problem& p) {
  const AttentionShape& s = p.shape;
  AttentionResult r;
  for (int b = 0; b < s.batch; ++b) {
    for (int h = 0; h < s.heads_q; ++h) {
      const double* q = &p.Q[(b * s.heads_q + h) * s.seq_q * s.head_dim];
      const int kv = (b * s.heads_kv + h * s.heads_kv / s.heads_q) * s.seq_k * s.head_dim;
      for (int i = 0; i < s.seq_q; ++i) {
        long double sum = 0;
        std::vector<long double> o(s.head_dim);
        for (int j = 0; j < s.seq_k; ++j) {
          if (s.causal && j > i + s.seq_k - s.seq_q) continue;
          long double dot = 0;
          for (int c = 0; c < s.head_dim; ++c) {
            dot += static_cast<long double>(q[i * s.head_dim + c]) * p.K[kv + j * s.head_dim + c];
          }
          const long double e = std::exp(s.scale * dot);
          sum += e;
          for (int c = 0; c < s.head_dim; ++c) o[c] += e * p.V[kv + j * s.head_dim + c];
        }
        for (const long double x : o) r.O.push_back(static_cast<double>(x / sum));
        r.L.push_back(static_cast<double>(std::log(sum)));
      }
    }
  }
  return r;
}

TEST(AttentionValues, AgreesWithTheDefinition) {
  for (const AttentionShape& shape : {
           AttentionShape{2, 3, 3, 5, 5, 4, 0.5, false},
           AttentionShape{2, 6, 2, 7, 19, 3, 0.7, true},
           AttentionShape{1, 4, 1, 130, 70, 8, 0.35, false},  // more rows than one block
           AttentionShape{1, 2, 2, 129, 200, 5, 0.4, true},
           AttentionShape{3, 1, 1, 1, 64, 33, -0.2, true},
       }) {
    const Problem problem(shape);
    const AttentionResult got = problem.solve(), want = by_definition(problem);
    EXPECT_TRUE(near(got.O, want.O, 1e-13)) << "seq_q " << shape.seq_q;
    EXPECT_TRUE(near(got.L, want.L, 1e-13)) << "seq_q " << shape.seq_q;
  }
}

TEST(AttentionValues, FloatInputsAreTheSameNumbers) {
  const Problem problem(
      {.batch = 2, .heads_q = 2, .heads_kv = 2, .seq_q = 9, .seq_k = 9, .head_dim = 4});
  const std::vector<float> Q(problem.Q.begin(), problem.Q.end());
  const std::vector<float> K(problem.K.begin(), problem.K.end());
  const std::vector<float> V(problem.V.begin(), problem.V.end());
  const AttentionResult from_float = attention_forward(problem.shape, Q, K, V);
  const AttentionResult from_double =
      attention_forward(problem.shape, Doubles(Q.begin(), Q.end()), Doubles(K.begin(), K.end()),
                        Doubles(V.begin(), V.end()));
  EXPECT_EQ(from_float.O, from_double.O);
  EXPECT_EQ(from_float.L, from_double.L);
  EXPECT_EQ(from_float.max_abs_score, from_double.max_abs_score);
  EXPECT_EQ(from_float.max_abs_value, from_double.max_abs_value);
}

TEST(AttentionValues, ScoresAndProbabilitiesOnlyWhenAsked) {
  const AttentionResult r = Problem({.seq_q = 3, .seq_k = 3}).solve();
  EXPECT_TRUE(r.S.empty());
  EXPECT_TRUE(r.P.empty());
}

/// What attention says to a 2 x 2 problem after `spoil` has changed it.
template <class Spoil>
std::string refused(Spoil&& spoil) {
  Problem problem({.seq_q = 2, .seq_k = 2});
  spoil(problem);
  return refusal([&] { problem.solve(); });
}

TEST(AttentionValues, RefusesWhatDoesNotFit) {
  EXPECT_EQ(refused([](Problem& p) { p.shape.head_dim = 0; }),
            "attention: head_dim is 0, must be at least 1");
  EXPECT_EQ(refused([](Problem& p) { p.shape.seq_k = -1; }),
            "attention: seq_k is -1, must be at least 1");
  EXPECT_EQ(refused([](Problem& p) { p.shape.heads_q = 3, p.shape.heads_kv = 2; }),
            "attention: heads_q = 3 is not a multiple of heads_kv = 2");
  EXPECT_EQ(refused([](Problem& p) { p.K.pop_back(); }),
            "attention: K has 1 elements, but its shape [1, 1, 2, 1] needs 2");
  EXPECT_EQ(refused([](Problem& p) { p.Q.push_back(0); }),
            "attention: Q has 3 elements, but its shape [1, 1, 2, 1] needs 2");
  EXPECT_EQ(refused([](Problem& p) { p.V.clear(); }),
            "attention: V has 0 elements, but its shape [1, 1, 2, 1] needs 2");
}

TEST(AttentionValues, RefusesSizesWhoseProductWraps) {
  constexpr int kSize = 1 << 16;  // (2^16)^4 = 2^64, 0 in a size_t
  const AttentionShape shape{kSize, kSize, kSize, kSize, kSize, kSize};
  EXPECT_EQ(refusal([&] { attention_forward(shape, Doubles{}, Doubles{}, Doubles{}); }),
            "attention: [65536, 65536, 65536, 65536] has too many elements");
}

TEST(AttentionValues, RefusesWhatIsNotFinite) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refused([](Problem& p) { p.Q[1] = std::nan(""); }),
            "attention: Q[1] is nan, inputs must be finite");
  EXPECT_EQ(refused([](Problem& p) { p.V[0] = -kInf; }),
            "attention: V[0] is -inf, inputs must be finite");
  EXPECT_EQ(refused([](Problem& p) { p.shape.scale = kInf; }), "attention: scale is not finite");
  EXPECT_EQ(refused([](Problem& p) { p.Q[1] = p.K[0] = 1e200; }),
            "attention: a score of query row 1 overflows float64, use smaller inputs or scale");
}

}  // namespace
}  // namespace flashlab::reference
