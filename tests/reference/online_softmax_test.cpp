// Online softmax: the course's worked example, the laws of merge, and agreement with the plain
// softmax.
#include "reference/online_softmax.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "problem.hpp"

namespace flashlab::reference {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kTiny = 1e-13;

/// Scores and values of `n` keys, and the state after all of them in one block.
struct Keys {
  VectorXd s;
  RowMatrix v;

  Keys(Index n, Index head_dim, unsigned seed, double spread = 3.0) {
    std::srand(seed);
    s = spread * VectorXd::Random(n);
    v = RowMatrix::Random(n, head_dim);
  }
  OnlineSoftmax state() const {
    OnlineSoftmax state(v.cols());
    state.update(s, v);
    return state;
  }
};

void expect_same(const OnlineSoftmax& a, const OnlineSoftmax& b) {
  EXPECT_DOUBLE_EQ(a.m, b.m);
  EXPECT_NEAR(a.l, b.l, kTiny * b.l);
  ASSERT_EQ(a.o.size(), b.o.size());
  EXPECT_TRUE(((a.o - b.o).array().abs() <= kTiny * b.l).all())
      << a.o.transpose() << " against " << b.o.transpose();
}

// The course's worked example: m = 3, l = 2.5, o = [1, 2]; two new keys with s = [4, 3.5]. By hand:
//   m' = 4, alpha = exp(3 - 4) = 0.367879441171, p = [exp(0), exp(-0.5)] = [1, 0.606530659713]
//   l' = 0.367879441171 * 2.5 + 1 + 0.606530659713 = 2.526229262641
// Its values v = [[0.5], [1]] have one column, while o has two entries, so p v is not defined as it
// is printed. The printed answer, o' = alpha o + [0.5, 0.607], is p V for the diagonal V = [[0.5,
// 0], [0, 1]]:
//   o' = [0.367879441171 + 0.5, 0.735758882343 + 0.606530659713] = [0.867879441171, 1.342289542056]
TEST(OnlineSoftmax, WorkedExampleWithDiagonalValues) {
  OnlineSoftmax state(3.0, 2.5, VectorXd{{1.0, 2.0}});
  state.update(VectorXd{{4.0, 3.5}}, RowMatrix{{0.5, 0.0}, {0.0, 1.0}});
  EXPECT_EQ(state.m, 4.0);
  EXPECT_NEAR(state.l, 2.526229262641, 1e-12);
  EXPECT_NEAR(state.o[0], 0.867879441171, 1e-12);
  EXPECT_NEAR(state.o[1], 1.342289542056, 1e-12);
  EXPECT_NEAR(state.output()[0], 0.867879441171 / 2.526229262641, 1e-12);
  EXPECT_NEAR(state.log_sum_exp(), 4.0 + std::log(2.526229262641), 1e-12);
}

// The same with each value repeated over both columns, V = [[0.5, 0.5], [1, 1]], as broadcasting
// would read it:
//   p V = 1 * 0.5 + 0.606530659713 * 1 = 1.106530659713 in each column.
TEST(OnlineSoftmax, WorkedExampleWithBroadcastValues) {
  OnlineSoftmax state(3.0, 2.5, VectorXd{{1.0, 2.0}});
  state.update(VectorXd{{4.0, 3.5}}, RowMatrix{{0.5, 0.5}, {1.0, 1.0}});
  EXPECT_NEAR(state.o[0], 0.367879441171 + 1.106530659713, 1e-12);
  EXPECT_NEAR(state.o[1], 0.735758882343 + 1.106530659713, 1e-12);
}

TEST(OnlineSoftmax, OneKeyGivesItsValue) {
  OnlineSoftmax state(2);
  state.update(VectorXd{{-7.0}}, RowMatrix{{3.0, -4.0}});
  EXPECT_EQ(state.m, -7.0);
  EXPECT_EQ(state.l, 1.0);
  EXPECT_EQ(state.output(), (VectorXd{{3.0, -4.0}}));
  EXPECT_EQ(state.log_sum_exp(), -7.0);
}

TEST(OnlineSoftmax, MergeIsCommutative) {
  const OnlineSoftmax a = Keys(5, 4, 1).state();
  const OnlineSoftmax b = Keys(9, 4, 2).state();
  expect_same(merge(a, b), merge(b, a));
}

TEST(OnlineSoftmax, MergeIsAssociative) {
  // Unequal maxima, in every order of size, so that each factor is used.
  for (const auto& shift : {VectorXd{{0, 20, -20}}, VectorXd{{-20, 0, 20}}, VectorXd{{20, 0, 0}}}) {
    Keys x(5, 4, 1), y(3, 4, 2), z(8, 4, 3);
    x.s.array() += shift[0];
    y.s.array() += shift[1];
    z.s.array() += shift[2];
    const OnlineSoftmax a = x.state(), b = y.state(), c = z.state();
    expect_same(merge(merge(a, b), c), merge(a, merge(b, c)));
  }
}

TEST(OnlineSoftmax, NewStateIsTheIdentityOnBothSides) {
  const OnlineSoftmax a = Keys(6, 3, 4).state();
  expect_same(merge(a, OnlineSoftmax(3)), a);
  expect_same(merge(OnlineSoftmax(3), a), a);
  const OnlineSoftmax none = merge(OnlineSoftmax(3), OnlineSoftmax(3));
  EXPECT_EQ(none.m, -kInf);
  EXPECT_EQ(none.l, 0.0);
  EXPECT_EQ(none.output(), VectorXd::Zero(3));
  EXPECT_EQ(none.log_sum_exp(), -kInf);
}

TEST(OnlineSoftmax, AnySplitOfTheKeysGivesTheSameState) {
  constexpr Index kKeys = 7;
  const Keys keys(kKeys, 3, 5, 30.0);
  const OnlineSoftmax whole = keys.state();
  // Bit j of `cuts` cuts after key j: all 64 ways to split 7 keys into consecutive blocks.
  for (unsigned cuts = 0; cuts < 1u << (kKeys - 1); ++cuts) {
    OnlineSoftmax updated(3), merged(3);
    for (Index first = 0, last = 0; last < kKeys; ++last) {
      if (last + 1 < kKeys && !(cuts >> last & 1u)) continue;
      const auto s = keys.s.segment(first, last + 1 - first);
      const auto v = keys.v.middleRows(first, last + 1 - first);
      updated.update(s, v);
      OnlineSoftmax block(3);
      block.update(s, v);
      merged = merge(merged, block);
      first = last + 1;
    }
    expect_same(updated, whole);
    expect_same(merged, whole);
  }
}

TEST(OnlineSoftmax, AgreesWithAttention) {
  Problem problem({.seq_q = 6, .seq_k = 50, .head_dim = 8, .scale = 0.5}, 2.0);
  const AttentionResult expected = problem.solve(Keep::kScoresAndProbabilities);
  const Eigen::Map<const RowMatrix> scores(expected.S.data(), 6, 50);
  const Eigen::Map<const RowMatrix> values(problem.V.data(), 50, 8);
  for (Index i = 0; i < 6; ++i) {
    OnlineSoftmax state(8);
    for (Index j = 0; j < 50; j += 16) {
      const Index n = std::min<Index>(16, 50 - j);
      state.update(scores.row(i).segment(j, n).transpose(), values.middleRows(j, n));
    }
    const VectorXd o = state.output();
    EXPECT_TRUE(near({o.begin(), o.end()},
                     {expected.O.begin() + 8 * i, expected.O.begin() + 8 * (i + 1)}, kTiny));
    EXPECT_NEAR(state.log_sum_exp(), expected.L[i], kTiny);
    EXPECT_DOUBLE_EQ(state.m, expected.row_max[i]);
  }
}

TEST(OnlineSoftmax, ExtremeScoresInAnyOrder) {
  for (const auto& s : {VectorXd{{1e4, -1e4}}, VectorXd{{-1e4, 1e4}}}) {
    OnlineSoftmax state(1);
    for (Index j = 0; j < 2; ++j) state.update(s.segment(j, 1), RowMatrix{{s[j] > 0 ? 5.0 : 9.0}});
    EXPECT_EQ(state.output()[0], 5.0);
    EXPECT_EQ(state.log_sum_exp(), 1e4);
  }
}

TEST(OnlineSoftmax, MaskedAndEmptyBlocksChangeNothing) {
  const Keys keys(4, 2, 6);
  OnlineSoftmax state(2);
  state.update(VectorXd::Constant(3, -kInf), RowMatrix::Ones(3, 2));
  EXPECT_EQ(state.output(), VectorXd::Zero(2));
  EXPECT_EQ(state.log_sum_exp(), -kInf);
  state.update(keys.s, keys.v);
  state.update(VectorXd::Constant(3, -kInf), RowMatrix::Ones(3, 2));
  state.update(VectorXd(0), RowMatrix(0, 2));
  expect_same(state, keys.state());
}

TEST(OnlineSoftmax, NanIsNeverLost) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const OnlineSoftmax sound = Keys(4, 1, 7).state();
  for (const double bad : {nan, kInf}) {
    OnlineSoftmax state(1);
    state.update(VectorXd{{0.0, bad, 1.0}}, RowMatrix::Ones(3, 1));
    for (const auto& s : {state, merge(sound, state), merge(state, sound),
                          merge(OnlineSoftmax(1), state), merge(state, OnlineSoftmax(1))}) {
      EXPECT_TRUE(std::isnan(s.output()[0]));
      EXPECT_TRUE(std::isnan(s.log_sum_exp()));
    }
  }
}

TEST(OnlineSoftmax, RefusesShapesThatDoNotFit) {
  OnlineSoftmax state(2);
  EXPECT_EQ(refusal([&] { state.update(VectorXd::Zero(3), RowMatrix::Zero(3, 1)); }),
            "OnlineSoftmax::update: values are [3, 1], but the scores and the state need [3, 2]");
  EXPECT_EQ(refusal([&] { state.update(VectorXd::Zero(3), RowMatrix::Zero(2, 2)); }),
            "OnlineSoftmax::update: values are [2, 2], but the scores and the state need [3, 2]");
  EXPECT_EQ(refusal([&] { merge(state, OnlineSoftmax(3)); }),
            "merge: the states have head_dim 2 and 3, which must be equal");
  EXPECT_EQ(refusal([&] { OnlineSoftmax(0); }), "OnlineSoftmax: head_dim is 0, must be at least 1");
}

}  // namespace
}  // namespace flashlab::reference
