// Row softmax: hand-computed values, identities, masked and extreme rows.
#include "reference/softmax.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace flashlab::reference {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Softmax, HandComputedRow) {
  RowMatrix s(1, 3);
  s << 0.0, std::log(2.0), std::log(5.0);  // exponentials 1, 2, 5: sum 8
  const SoftmaxStats stats = softmax_rows(s);
  EXPECT_NEAR(s(0, 0), 1.0 / 8, 1e-15);
  EXPECT_NEAR(s(0, 1), 2.0 / 8, 1e-15);
  EXPECT_NEAR(s(0, 2), 5.0 / 8, 1e-15);
  EXPECT_DOUBLE_EQ(stats.row_max[0], std::log(5.0));
  EXPECT_NEAR(stats.log_sum_exp[0], std::log(8.0), 1e-15);
}

TEST(Softmax, EachRowSumsToOneAndIsItsOwn) {
  RowMatrix s = 5.0 * RowMatrix::Random(17, 31);
  const RowMatrix before = s;
  softmax_rows(s);
  for (Eigen::Index i = 0; i < s.rows(); ++i) {
    EXPECT_NEAR(s.row(i).sum(), 1.0, 1e-14);
    EXPECT_GT(s.row(i).minCoeff(), 0.0);
    // ln p_j - ln p_0 = s_j - s_0 ties every entry to its score.
    for (Eigen::Index j = 1; j < s.cols(); ++j) {
      EXPECT_NEAR(std::log(s(i, j) / s(i, 0)), before(i, j) - before(i, 0), 1e-12);
    }
  }
}

TEST(Softmax, ShiftMovesOnlyTheStatistics) {
  RowMatrix s = RowMatrix::Random(4, 9);
  RowMatrix shifted = s.array() + 1000.0;
  const SoftmaxStats a = softmax_rows(s);
  const SoftmaxStats b = softmax_rows(shifted);
  EXPECT_LE((s - shifted).cwiseAbs().maxCoeff<Eigen::PropagateNaN>(), 1e-12);
  for (Eigen::Index i = 0; i < s.rows(); ++i) {
    EXPECT_NEAR(b.row_max[i] - a.row_max[i], 1000.0, 1e-12);
    EXPECT_NEAR(b.log_sum_exp[i] - a.log_sum_exp[i], 1000.0, 1e-12);
  }
}

TEST(Softmax, ExtremeScoresNeitherOverflowNorVanish) {
  RowMatrix s(3, 2);
  s << 1e4, -1e4, 1e4, 1e4, -1e4, -1e4;
  const SoftmaxStats stats = softmax_rows(s);
  RowMatrix expected(3, 2);
  expected << 1.0, 0.0, 0.5, 0.5, 0.5, 0.5;
  EXPECT_EQ(s, expected);
  EXPECT_DOUBLE_EQ(stats.log_sum_exp[0], 1e4);
  EXPECT_DOUBLE_EQ(stats.log_sum_exp[1], 1e4 + std::log(2.0));
  EXPECT_DOUBLE_EQ(stats.log_sum_exp[2], -1e4 + std::log(2.0));
}

TEST(Softmax, MaskedEntriesAreExactlyZero) {
  RowMatrix s(1, 4);
  s << -kInf, 0.0, -kInf, 0.0;
  softmax_rows(s);
  RowMatrix expected(1, 4);
  expected << 0.0, 0.5, 0.0, 0.5;
  EXPECT_EQ(s, expected);
}

TEST(Softmax, FullyMaskedRowIsZeroWithMinusInfinity) {
  RowMatrix s = RowMatrix::Constant(1, 5, -kInf);
  const SoftmaxStats stats = softmax_rows(s);
  EXPECT_EQ(s, RowMatrix::Zero(1, 5));
  EXPECT_EQ(stats.row_max[0], -kInf);
  EXPECT_EQ(stats.log_sum_exp[0], -kInf);
}

TEST(Softmax, RowWithoutColumnsIsFullyMasked) {
  RowMatrix s(2, 0);
  EXPECT_EQ(softmax_rows(s).log_sum_exp[1], -kInf);
}

TEST(Softmax, NanAndInfinitySpoilTheirRowOnly) {
  // In the middle of the row, where a maximum that drops NaN would miss it.
  RowMatrix s(4, 3);
  s << 1.0, kNan, 2.0, 0.0, 0.0, 0.0, 1.0, kInf, 2.0, -kInf, kNan, -kInf;
  softmax_rows(s);
  EXPECT_TRUE(s.row(0).array().isNaN().all());
  EXPECT_DOUBLE_EQ(s(1, 1), 1.0 / 3);
  EXPECT_TRUE(s.row(2).array().isNaN().all());
  EXPECT_TRUE(s.row(3).array().isNaN().all());
}

}  // namespace
}  // namespace flashlab::reference
