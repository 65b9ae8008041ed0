// What a measured call is checked against: all rows or some, for every kind of entry point.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "measure/problem.hpp"
#include "measure/shapes.hpp"

namespace flashlab::judge {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct LabFile {
  const char *file, *entry;
};
constexpr LabFile kEntries[] = {
    {"lab1_naive", "lab1_naive_attention"},
    {"lab2_online_softmax", "lab2_merge_states"},
    {"lab2_online_softmax", "lab2_row_statistics"},
    {"lab2_online_softmax", "lab2_row_softmax"},
    {"lab4_flash_attention2", "lab4_flash_attention2"},
    {"lab5_backward", "lab5_flash_attention_backward"},
};

/// A problem of each entry point, and a call with the right outputs: those of the reference,
/// rounded.
class ProblemTest : public testing::TestWithParam<LabFile> {
 protected:
  ProblemTest() : lab_(load_lab(std::string(LABS_DIR "/") + GetParam().file + "/lab.toml")) {
    const auto entry = std::ranges::find(lab_.entries, GetParam().entry, &Entry::name);
    spec_.name = "problem";
    spec_.entry = static_cast<size_t>(entry - lab_.entries.begin());
    spec_.inputs = lab_.recipes.at("normal");
    spec_.shape = {2, 3, 20, 12, 8, 0.35f, true};
    if (GetParam().file == std::string("lab2_online_softmax")) {
      spec_.shape = {1, 1, 20, 12, 8, 1, false};
    }
    problem_ = make_problem(lab_, spec_, 7);
    for (const TensorSpec& tensor : find_kind(entry->kind)->tensors(spec_.shape)) {
      call_.tensors.push_back({tensor.name, std::vector<float>(tensor.elements, kNan)});
      if (!tensor.is_input) outputs_.push_back(tensor.name);
    }
    for (const Input& input : problem_->inputs()) values(input.name) = input.values;
    for (const ExpectedRows& expected : problem_->reference()) {
      for (size_t i = 0; i < expected.values.size(); ++i) {
        const size_t row = expected.rows[i / expected.columns];
        values(expected.tensor)[row * expected.columns + i % expected.columns] =
            static_cast<float>(expected.values[i]);
      }
    }
  }

  std::vector<float>& values(const std::string& name) {
    return std::ranges::find(call_.tensors, name, &Input::name)->values;
  }

  Lab lab_;
  CaseSpec spec_;
  std::unique_ptr<Problem> problem_;
  CallResult call_;
  std::vector<std::string> outputs_;
};

TEST_P(ProblemTest, RightOutputsAreRightHoweverManyRowsAreCompared) {
  const Checked all = problem_->check(call_, std::nullopt, 1);
  EXPECT_TRUE(all.ok()) << all.message;
  const Checked some = problem_->check(call_, 5, 1);
  EXPECT_TRUE(some.ok()) << some.message;
  EXPECT_LT(some.rows, all.rows);
  EXPECT_EQ(some.error.total, all.error.total) << "every element is looked at";
}

TEST_P(ProblemTest, AnyWrongElementIsFoundWhenAllRowsAreCompared) {
  for (const std::string& name : outputs_) {
    for (const size_t at : {size_t{0}, values(name).size() - 1}) {
      const float right = values(name)[at];
      values(name)[at] = std::isinf(right) ? 0 : right + 1;
      EXPECT_FALSE(problem_->check(call_, std::nullopt, 1).ok()) << name << at;
      values(name)[at] = right;
    }
  }
}

TEST_P(ProblemTest, ANanIsFoundInRowsThatAreNotCompared) {
  for (const std::string& name : outputs_) {
    const float right = values(name).back();
    values(name).back() = kNan;
    const Checked checked = problem_->check(call_, 1, 1);
    EXPECT_FALSE(checked.ok());
    EXPECT_EQ(checked.error.not_finite, 1u);
    values(name).back() = right;
  }
}

TEST_P(ProblemTest, OtherRowsAreDrawnFromAnotherSeed) {
  // Half of all rows are wrong: with 5 rows, or with one head of 6, some seeds see it and some do
  // not.
  for (const std::string& name : outputs_) {
    std::vector<float>& tensor = values(name);
    for (size_t i = 0; i < tensor.size() / 2; ++i) tensor[i] += std::isinf(tensor[i]) ? 0 : 1;
  }
  int found = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) found += !problem_->check(call_, 1, seed).ok();
  EXPECT_GT(found, 5);
  EXPECT_LT(found, 35);
}

TEST_P(ProblemTest, TwoCallsAreComparedElementByElement) {
  const Checked checked = problem_->check(call_, 5, 1);
  CallResult other = call_;
  EXPECT_EQ(find_difference(call_, other, checked, 2), "");
  for (Input& tensor : other.tensors) {
    if (tensor.name != outputs_.front()) continue;
    tensor.values.back() += std::isinf(tensor.values.back()) ? 0 : 1;
  }
  EXPECT_NE(find_difference(call_, other, checked, 2).find(outputs_.front()), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Entries, ProblemTest, testing::ValuesIn(kEntries),
                         [](const auto& one) { return std::string(one.param.entry); });

TEST(ScaledLimits, GrowWithTheWorkAndNeverShrink) {
  Lab lab;
  lab.case_seconds = 6;
  lab.launch_seconds = 4;
  lab.workspace_bytes = 1000;
  const Lab same = scaled_limits(lab, {1, 1, 64, 64, 64, 1, false});
  EXPECT_EQ(same.case_seconds, 6);
  const Lab larger = scaled_limits(lab, {1, 2, 2048, 2048, 64, 1, false});
  EXPECT_EQ(larger.case_seconds, 6 * 32);
  EXPECT_EQ(larger.launch_seconds, 4 * 32);
  EXPECT_GE(larger.workspace_bytes, 2u * 8 * 2048 * 2048) << "S and P";
}

}  // namespace
}  // namespace flashlab::judge
