// The reference against PyTorch on a GPU. Missing golden files fail these tests, they do not skip
// them.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

#include "golden_tensors.hpp"
#include "problem.hpp"
#include "reference/attention_backward.hpp"

namespace flashlab::reference {
namespace {

constexpr double kEps64 = std::numeric_limits<double>::epsilon();
constexpr double kEps32 = std::numeric_limits<float>::epsilon();

class Golden : public testing::Test {
 protected:
  /// Calls check(case, result) for each golden case, with the case's name on every failure.
  template <class Check>
  void for_each_case(Check&& check) {
    ASSERT_FALSE(golden_.cases.empty());
    for (const GoldenCase& golden : golden_.cases) {
      SCOPED_TRACE(golden.name);
      check(golden, attention_forward(golden.shape, golden.at("Q"), golden.at("K"), golden.at("V"),
                                      Keep::kScoresAndProbabilities));
    }
  }

  GoldenFile golden_ = read_golden(FLASHLAB_GOLDEN_DIR);
};

/// How far two sound computations of a score may be apart: a score is a sum of head_dim products,
/// wrong by a few units in the last place of its partial sums. The exponential turns an absolute
/// error of the score into a relative error of P, hence of O.
double score_error(const AttentionResult& r, double eps) {
  return 8 * eps * std::max(1.0, r.max_abs_score);
}

TEST(GoldenReader, SaysWhatToRunWhenAFileIsMissing) {
  try {
    read_golden("/no/such/folder");
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "golden tensors: /no/such/folder/attention.json cannot be opened; on a machine "
                 "with a CUDA GPU run: python3 tools/make_golden.py --device cuda --output "
                 "tests/reference/golden");
  }
}

TEST_F(Golden, WasMadeOnAGpu) {
  EXPECT_EQ(golden_.provenance["device_type"], "cuda");
  for (const char* field : {"device", "driver", "torch", "cuda", "date", "command"}) {
    EXPECT_FALSE(golden_.provenance[field].empty()) << field << " is not recorded";
  }
}

TEST_F(Golden, CoversEveryKindOfProblem) {
  std::set<std::string> missing = {"square",       "more keys",     "more queries",
                                   "batch",        "causal",        "causal, more keys",
                                   "empty rows",   "grouped heads", "causal, grouped heads",
                                   "large scores", "scores kept"};
  for_each_case([&](const GoldenCase& g, const AttentionResult& r) {
    const AttentionShape& s = g.shape;
    const bool grouped = s.heads_q != s.heads_kv;
    if (s.seq_q == s.seq_k) missing.erase(s.causal ? "causal" : "square");
    if (s.seq_q < s.seq_k) missing.erase(s.causal ? "causal, more keys" : "more keys");
    if (s.seq_q > s.seq_k) missing.erase(s.causal ? "empty rows" : "more queries");
    if (s.batch > 1) missing.erase("batch");
    if (grouped) missing.erase(s.causal ? "causal, grouped heads" : "grouped heads");
    if (r.max_abs_score > 1000) missing.erase("large scores");
    if (g.has("S") && g.has("P")) missing.erase("scores kept");
  });
  EXPECT_EQ(missing, std::set<std::string>{});
}

TEST_F(Golden, OutputEqualsPyTorchFloat64) {
  for_each_case([](const GoldenCase& golden, const AttentionResult& r) {
    EXPECT_TRUE(near(r.O, golden.at("O"), score_error(r, kEps64) * r.max_abs_value));
  });
}

TEST_F(Golden, LogSumExpEqualsPyTorchFloat64) {
  for_each_case([](const GoldenCase& golden, const AttentionResult& r) {
    EXPECT_TRUE(near(r.L, golden.at("L"), score_error(r, kEps64)));
  });
}

TEST_F(Golden, ScoresAndProbabilitiesEqualPyTorchFloat64) {
  for_each_case([](const GoldenCase& golden, const AttentionResult& r) {
    if (!golden.has("S")) return;
    EXPECT_TRUE(near(r.S, golden.at("S"), score_error(r, kEps64)));
    EXPECT_TRUE(near(r.P, golden.at("P"), score_error(r, kEps64)));
  });
}

TEST_F(Golden, PyTorchFloat32IsWithinFloat32Rounding) {
  for_each_case([](const GoldenCase& golden, const AttentionResult& r) {
    EXPECT_TRUE(near(golden.at("O_float32"), r.O, score_error(r, kEps32) * r.max_abs_value));
    // A float32 result that agreed to float64 rounding would not be a float32 result, unless each
    // row of P has a single 1: O is then a row of V, exact in both.
    if (golden.shape.seq_k > 1 && r.max_abs_score < 1000) {
      EXPECT_FALSE(near(golden.at("O_float32"), r.O, score_error(r, kEps64) * r.max_abs_value));
    }
  });
}

TEST_F(Golden, GradientsEqualPyTorchFloat64) {
  for_each_case([](const GoldenCase& golden, const AttentionResult& r) {
    const AttentionShape& s = golden.shape;
    const auto largest = [&](const char* name) {
      double max_abs = 0.0;
      for (const double x : golden.at(name)) max_abs = std::max(max_abs, std::abs(x));
      return max_abs;
    };
    const AttentionGradients g =
        attention_backward(s, golden.at("Q"), golden.at("K"), golden.at("V"), golden.at("dO"));
    // dQ sums P_ij dS_ij K_j with sum_j P_ij = 1; dK and dV sum over all queries of a group.
    const double dS_error = 4 * score_error(r, kEps64) * g.max_abs_dp * std::abs(s.scale);
    const int queries = s.heads_q / s.heads_kv * s.seq_q;
    EXPECT_TRUE(near(g.dQ, golden.at("dQ"), dS_error * largest("K")));
    EXPECT_TRUE(near(g.dK, golden.at("dK"), dS_error * largest("Q") * queries));
    EXPECT_TRUE(near(g.dV, golden.at("dV"), score_error(r, kEps64) * largest("dO") * queries));
  });
}

}  // namespace
}  // namespace flashlab::reference
