#include "compare.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "worker/protocol.hpp"

namespace flashlab::judge {
namespace {

constexpr ErrorBound kBound{1e-3, 1e-2};
const float kPoisoned = std::bit_cast<float>(protocol::kPoison);

TEST(Compare, AcceptsUpToTheBoundAndNotBeyond) {
  EXPECT_TRUE(compare(std::vector<float>{1.0109f}, std::vector<double>{1.0}, kBound).ok());
  EXPECT_FALSE(compare(std::vector<float>{1.0111f}, std::vector<double>{1.0}, kBound).ok());
  EXPECT_FALSE(compare(std::vector<float>{-0.0011f}, std::vector<double>{0.0}, kBound).ok());
}

TEST(Compare, NotANumberFailsAtEveryPosition) {
  const std::vector<double> expected(9, 1.0);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
        std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    for (size_t at = 0; at < expected.size(); ++at) {
      std::vector<float> got(9, 1.0f);
      got[at] = bad;
      const Comparison result = compare(got, expected, kBound);
      EXPECT_EQ(result.wrong, 1u);
      EXPECT_EQ(result.not_finite, 1u);
      EXPECT_EQ(result.first.at(0).index, at);
      EXPECT_EQ(result.max_abs_error, 0.0) << "the error is over finite elements";
    }
  }
}

TEST(Compare, AnExpectedInfinityMustBeMetExactly) {
  const double inf = std::numeric_limits<double>::infinity();
  const float got = std::numeric_limits<float>::infinity();
  const Comparison right =
      compare(std::vector<float>{-got, 1}, std::vector<double>{-inf, 1}, kBound);
  EXPECT_TRUE(right.ok());
  EXPECT_EQ(right.not_finite, 0u);
  for (const float wrong : {got, 1.0f, -3e38f, std::nanf("")}) {
    const Comparison result = compare(std::vector<float>{wrong}, std::vector<double>{-inf}, kBound);
    EXPECT_EQ(result.wrong, 1u) << wrong;
    EXPECT_EQ(result.max_abs_error, 0.0) << "the distance to infinity says nothing";
  }
}

TEST(Compare, ABoundOfNaNFails) {
  EXPECT_FALSE(compare(std::vector<float>{1}, std::vector<double>{1}, {std::nan(""), 0}).ok());
}

TEST(Compare, RecognisesWhatWasNeverWritten) {
  const Comparison result = compare(std::vector<float>{1, kPoisoned, std::nanf("")},
                                    std::vector<double>{1, 1, 1}, kBound);
  EXPECT_EQ(result.unwritten, 1u);
  EXPECT_EQ(result.not_finite, 2u);
  EXPECT_EQ(result.wrong, 2u);
}

TEST(Compare, NothingToCompareIsNoSuccess) {
  EXPECT_FALSE(compare({}, {}, kBound).ok());
  EXPECT_THROW(compare({}, std::vector<double>{1}, kBound), std::invalid_argument);
}

TEST(Compare, KeepsTheFirstMismatchesOnly) {
  const Comparison result =
      compare(std::vector<float>(100, 2.0f), std::vector<double>(100, 1.0), kBound);
  EXPECT_EQ(result.wrong, 100u);
  ASSERT_EQ(result.first.size(), kShownMismatches);
  EXPECT_EQ(result.first.back().index, kShownMismatches - 1);
  EXPECT_DOUBLE_EQ(result.max_abs_error, 1.0);
  EXPECT_DOUBLE_EQ(result.max_rel_error, 1.0);
}

TEST(Compare, BoundGrowsWithScoresAndValues) {
  const Tolerance tolerance{2e-5, 8, 1e-4};
  EXPECT_DOUBLE_EQ(error_bound(tolerance, 1, 1).absolute, 2e-5);
  EXPECT_DOUBLE_EQ(error_bound(tolerance, 1e4, 2).absolute,
                   8 * std::numeric_limits<float>::epsilon() * 2e4);
  EXPECT_DOUBLE_EQ(error_bound(tolerance, 1, 1).relative, 1e-4);
}

TEST(Compare, NamesPositions) {
  const Shape shape{.batch = 2, .heads = 3, .seq_q = 5, .seq_k = 7, .head_dim = 4};
  const size_t index = ((1 * 3 + 2) * 5 + 4) * 4 + 3;
  EXPECT_EQ(describe_position("O", index, shape, 4, 'c'), "O[b=1, h=2, i=4, c=3]");
  EXPECT_EQ(describe_position("S", 7, shape, 7, 'j'), "S[b=0, h=0, i=1, j=0]");
}

TEST(Compare, SaysWhatIsWrong) {
  const Comparison result = compare(std::vector<float>{1, 3, std::nanf(""), kPoisoned},
                                    std::vector<double>{1, 1, 1, 1}, kBound);
  const std::string text =
      describe_mismatches(result, "L", [](size_t index) { return "row " + std::to_string(index); });
  EXPECT_NE(text.find("L is wrong in 3 of 4 elements (75.0 %)"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of them NaN or infinite"), std::string::npos) << text;
  EXPECT_NE(text.find("1 never written"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  row 1: expected 1, got 3"), std::string::npos) << text;
}

}  // namespace
}  // namespace flashlab::judge
