#include "lab.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "formula.hpp"
#include "inputs.hpp"

namespace flashlab::judge {
namespace {

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// The message that loading the test lab gives after `from` was replaced by `to`.
std::string error_after(const std::string& from, const std::string& to) {
  std::string text = read(TEST_LAB_TOML);
  const size_t at = text.find(from);
  if (at == std::string::npos) return "the test does not fit lab.toml";
  text.replace(at, from.size(), to);
  const auto path = std::filesystem::path(testing::TempDir()) / "flashlab_lab_test.toml";
  std::ofstream(path) << text;
  try {
    load_lab(path);
  } catch (const EnvironmentError& error) {
    return error.what();
  }
  return "";
}

TEST(Lab, EveryLabHasOneHundredPoints) {
  int labs = 0;
  for (const auto& folder : std::filesystem::directory_iterator(LABS_DIR)) {
    const auto file = folder.path() / "lab.toml";
    if (!std::filesystem::exists(file)) continue;
    const Lab lab = load_lab(file);
    double points = 0;
    for (const CaseSpec& spec : lab.cases) points += spec.points;
    EXPECT_EQ(points, 100) << file;
    EXPECT_LT(lab.launch_seconds, lab.case_seconds)
        << file << ": the report of a launch's time-out must arrive in time";
    ++labs;
  }
  EXPECT_GE(labs, 2);
}

TEST(Lab, UnusableFilesGiveOneLineWithThePlace) {
  EXPECT_EQ(error_after("id = \"lab1\"", "id = \"lab1\""), "");
  EXPECT_NE(error_after("case_seconds = 0.6", "").find("lacks 'case_seconds'"), std::string::npos);
  EXPECT_NE(error_after("hangs = 2", "hangs = \"two\"").find("'hangs' has the wrong type"),
            std::string::npos);
  EXPECT_NE(error_after("hangs = 2", "hangs = 2\nhang = 3").find("unknown key 'hang'"),
            std::string::npos);
  EXPECT_NE(error_after("seq_q = 5,", "seq_q = 0,").find("size below 1"), std::string::npos);
  EXPECT_NE(error_after("name = \"two_heads\"", "name = \"one_head\"").find("two cases named"),
            std::string::npos);
  EXPECT_NE(error_after("points = 3", "points = 3\ninputs = \"odd\"").find("unknown inputs"),
            std::string::npos);
  EXPECT_NE(error_after("device = \"cuda\"", "device = \"tpu\"").find("unknown device 'tpu'"),
            std::string::npos);
  const std::string limit = "points = 6\nlimits = [{ meter = \"launches\"";
  EXPECT_NE(error_after("points = 6", limit + " }]").find("bounds nothing"), std::string::npos);
  EXPECT_NE(error_after("points = 6", limit + ", at_most = \"2 N\" }]").find("formula '2 N'"),
            std::string::npos);
  EXPECT_NE(error_after("points = 6", "points = 6\nentry = \"other\"").find("entry 'other'"),
            std::string::npos);
  EXPECT_NE(error_after("attention_forward\"", "odd\"").find("unknown kind 'odd'"),
            std::string::npos);
  EXPECT_NE(error_after("softmax = \"handout 1, section 4\"", "").find("lacks 'softmax'"),
            std::string::npos);
  EXPECT_NE(error_after("points = 6", "points = 6\nlimits = [{ meter = \"joy\" }]")
                .find("unknown meter 'joy'"),
            std::string::npos);
  EXPECT_NE(error_after("schema = 1", "schema = ").find("flashlab_lab_test.toml:2: "),
            std::string::npos);
  EXPECT_THROW(load_lab("/nowhere/lab.toml"), EnvironmentError);
}

TEST(Formula, KnowsTheShapeAndTheOrderOfOperations) {
  const Shape shape{.batch = 2, .heads = 3, .seq_q = 5, .seq_k = 7, .head_dim = 11};
  EXPECT_DOUBLE_EQ(evaluate("1.5 * (8*B*H*Nq*Nk - 2*d) / 4 + 1e2", shape),
                   1.5 * (8 * 2 * 3 * 5 * 7 - 2 * 11) / 4 + 100);
  EXPECT_DOUBLE_EQ(evaluate("ceil(Nk / 4) * -(d - Nq - 1)", shape), -2.0 * 5);
  EXPECT_DOUBLE_EQ(evaluate("10 - 4 - 3", shape), 3);
}

TEST(Formula, RefusesAnythingElse) {
  for (const char* text :
       {"", "2 +", "(2", "2)", "N", "ceil 2", "ceil(2", "2 3", "1 / (Nq - Nq)", "B % 2", "nan"}) {
    EXPECT_THROW(evaluate(text, Shape()), std::invalid_argument) << text;
  }
}

TEST(Lab, RerunCommandNamesCaseAndSeed) {
  EXPECT_EQ(load_lab(TEST_LAB_TOML).rerun_command("one_head", 9), "rerun one_head 9");
}

TEST(Inputs, NeverChange) {
  // Written down once: a result can be reproduced from its seed only while these hold.
  RandomStream stream(1, "case", "Q");
  EXPECT_EQ(stream.bits(), 0x5ba4abdf6d72d930u);
  CaseSpec spec;
  spec.name = "forward_n1_d8";
  spec.shape = {.seq_q = 1, .seq_k = 1, .head_dim = 2, .scale = 1};
  const Inputs inputs = draw_inputs(spec, 42);
  EXPECT_EQ(inputs.Q, (std::vector<float>{0.95503521f, -1.05628061f}));
  EXPECT_EQ(inputs.V, (std::vector<float>{-0.384725094f, 0.500032902f}));
}

TEST(Inputs, DependOnSeedCaseAndTensor) {
  CaseSpec spec;
  spec.name = "a";
  spec.shape = {.seq_q = 8, .seq_k = 8, .head_dim = 8, .scale = 1};
  const Inputs base = draw_inputs(spec, 1), again = draw_inputs(spec, 1),
               seed = draw_inputs(spec, 2);
  spec.name = "b";
  const Inputs name = draw_inputs(spec, 1);
  EXPECT_EQ(base.Q, again.Q);
  EXPECT_NE(base.Q, seed.Q);
  EXPECT_NE(base.Q, name.Q);
  EXPECT_NE(base.Q, base.K);
  EXPECT_NE(base.K, base.V);
}

TEST(Inputs, AreCloseToTheNormalDistribution) {
  RandomStream stream(3, "case", "Q");
  const int count = 100000;
  double sum = 0, squares = 0;
  int beyond_two = 0;
  for (int i = 0; i < count; ++i) {
    const double x = stream.normal();
    sum += x;
    squares += x * x;
    beyond_two += std::abs(x) > 2;
  }
  EXPECT_NEAR(sum / count, 0, 0.015);
  EXPECT_NEAR(squares / count, 1, 0.02);
  EXPECT_NEAR(static_cast<double>(beyond_two) / count, 0.0455, 0.004);
}

TEST(Inputs, FollowTheRecipe) {
  CaseSpec spec;
  spec.name = "recipe";
  spec.shape = {.seq_q = 50, .seq_k = 50, .head_dim = 40, .scale = 1};
  spec.inputs.q_mean = 5;
  spec.inputs.q_sigma = 0;
  spec.inputs.k_mean = 1;
  spec.inputs.k_sigma = 0;
  spec.inputs.k_growth = 2;
  Inputs inputs = draw_inputs(spec, 1);
  EXPECT_EQ(std::set<float>(inputs.Q.begin(), inputs.Q.end()), std::set<float>{5});
  EXPECT_FLOAT_EQ(inputs.K.front(), 1);
  EXPECT_FLOAT_EQ(inputs.K.back(), 1 + 2 * 49 / 50.0f);
  spec.inputs.spike_probability = 0.1;
  spec.inputs.spike_sigma = 100;
  inputs = draw_inputs(spec, 1);
  const auto spikes = std::ranges::count_if(inputs.Q, [](float x) { return x != 5; });
  EXPECT_NEAR(static_cast<double>(spikes), 200, 60);
}

}  // namespace
}  // namespace flashlab::judge
