// From samples of times to ratios, and from ratios to points.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "cases/case.hpp"
#include "inputs.hpp"
#include "measure/speed.hpp"
#include "measure/statistics.hpp"

namespace flashlab::judge {
namespace {

TEST(Quartiles, AreInterpolatedBetweenSamples) {
  const Quartiles all = quartiles({4, 1, 3, 2, 5});
  EXPECT_EQ(all.q1, 2);
  EXPECT_EQ(all.median, 3);
  EXPECT_EQ(all.q3, 4);
  EXPECT_EQ(median({1, 2}), 1.5);
  EXPECT_EQ(median({7}), 7);
  EXPECT_THROW(quartiles({}), std::invalid_argument);
}

/// Pairs that share a disturbance of up to `shared` and have one of their own of up to `own`.
std::pair<std::vector<double>, std::vector<double>> pairs(double ratio, double shared, double own) {
  RandomStream random(1, "pairs", "times");
  std::vector<double> a, b;
  for (int i = 0; i < 30; ++i) {
    const double both = 1 + shared * random.uniform();
    a.push_back(ratio * both * (1 + own * random.uniform()));
    b.push_back(both * (1 + own * random.uniform()));
  }
  return {a, b};
}

TEST(Speed, IsNotGradedWithoutTheStaffsKernel) {
  CaseSpec spec;
  spec.points = 6;
  const CaseResult result = speed_without_staff(spec);
  EXPECT_EQ(result.status, Status::kSkipped);
  EXPECT_EQ(result.points, 0);
  EXPECT_EQ(result.max_points, 0);  // nobody loses points where none can be had
  EXPECT_NE(result.message.find("no staff kernel here"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("6 points"), std::string::npos) << result.message;
}

TEST(PairedRatio, HoldsTheTrueRatioInItsInterval) {
  for (const double ratio : {0.5, 1.0, 1.15, 3.0}) {
    const auto [a, b] = pairs(ratio, 0.05, 0.02);
    const Ratio found = paired_ratio(a, b, 7);
    EXPECT_LE(found.low, ratio) << ratio;
    EXPECT_GE(found.high, ratio) << ratio;
    EXPECT_LE(found.low, found.median);
    EXPECT_GE(found.high, found.median);
    EXPECT_LT(found.high - found.low, 0.06 * ratio);
  }
}

TEST(PairedRatio, TellsFifteenPercentFromNone) {
  const auto [a, b] = pairs(1.15, 0.05, 0.02);
  EXPECT_GT(paired_ratio(a, b, 7).low, 1.05);
  const auto [c, d] = pairs(1.0, 0.05, 0.02);
  EXPECT_LT(paired_ratio(c, d, 7).high, 1.05);
}

TEST(PairedRatio, NeedsPairs) {
  EXPECT_THROW(paired_ratio({1, 2}, {1}, 7), std::invalid_argument);
}

SpeedRule rule() {
  SpeedRule rule;
  rule.full = 1.05;
  rule.none = 3;
  rule.step = 0.25;
  rule.grey = 0.05;
  return rule;
}

TEST(SpeedPoints, AreAllUpToFullAndNoneFromNone) {
  EXPECT_EQ(speed_points(rule(), 4, 0.3), 4);
  EXPECT_EQ(speed_points(rule(), 4, 1.05), 4);
  EXPECT_EQ(speed_points(rule(), 4, 3.0), 0);
  EXPECT_EQ(speed_points(rule(), 4, 50), 0);
  EXPECT_EQ(speed_points(rule(), 4, std::sqrt(1.05 * 3.0)), 2) << "linear in the logarithm";
}

TEST(SpeedPoints, FallInStepsWithoutACliff) {
  double before = 4;
  for (double ratio = 1; ratio < 3.2; ratio += 0.001) {
    const double points = speed_points(rule(), 4, ratio);
    EXPECT_LE(points, before) << ratio;
    EXPECT_GE(points, before - 0.25) << ratio;
    EXPECT_EQ(points, std::round(points / 0.25) * 0.25);
    before = points;
  }
  EXPECT_EQ(before, 0);
}

TEST(SpeedPoints, NoNumberGivesNone) {
  for (const double ratio : {std::numeric_limits<double>::quiet_NaN(), 0.0, -1.0}) {
    EXPECT_EQ(speed_points(rule(), 4, ratio), 0) << ratio;
  }
}

TEST(SpeedPoints, OfAKernelThatIsFifteenPercentSlowerAreFewer) {
  for (const double most : {3.0, 4.0, 6.0}) {
    EXPECT_LT(speed_points(rule(), most, 1.15), most) << most;
    EXPECT_EQ(speed_points(rule(), most, 1.03), most) << most;
  }
}

TEST(SpeedPoints, CloseToMoreIsMeasuredAgain) {
  EXPECT_FALSE(is_close_to_more(rule(), 4, 1.0)) << "nothing better";
  EXPECT_FALSE(is_close_to_more(rule(), 4, 5.0)) << "nothing near";
  // The first step down from 4 points is at full * (none / full) ^ (0.125 / 4).
  const double step = 1.05 * std::pow(3 / 1.05, 0.125 / 4);
  EXPECT_FALSE(is_close_to_more(rule(), 4, step * 0.999));
  EXPECT_TRUE(is_close_to_more(rule(), 4, step * 1.001));
  EXPECT_TRUE(is_close_to_more(rule(), 4, step * 1.04));
}

}  // namespace
}  // namespace flashlab::judge
