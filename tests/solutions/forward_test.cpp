// The tuned forward pass of lab 4 against the float64 reference.
#include <flashlab/lab4.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "device_run.hpp"

namespace flashlab::solutions {
namespace {

constexpr double kEps32 = std::numeric_limits<float>::epsilon();

class Forward : public testing::TestWithParam<reference::AttentionShape> {};

/// O and L of the kernel within float32 rounding of the reference.
void check(const Inputs& in) {
  const auto entry = reinterpret_cast<decltype(&lab4_flash_attention2)>(
      load("lab4_flash_attention2_tuned_flash_attention2", "lab4_flash_attention2"));
  DeviceRun device;
  const std::size_t rows = in.Q.size() / in.shape.head_dim;
  float *O = device.output(in.Q.size()), *L = device.output(rows);
  ASSERT_EQ(entry(device.input(in.Q), device.input(in.K), device.input(in.V), O, L,
                  in.device_shape(), device.workspace(), nullptr),
            cudaSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);

  const reference::AttentionResult want = reference::attention_forward(in.shape, in.Q, in.K, in.V);
  const double score_error = 8 * kEps32 * std::max(1.0, want.max_abs_score);
  EXPECT_TRUE(
      near(device.read(O, in.Q.size()), want.O, std::max(2e-6, score_error * want.max_abs_value)));
  EXPECT_TRUE(near(device.read(L, rows), want.L, score_error));
}

TEST_P(Forward, EqualsTheReference) {
  check(Inputs(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Tuned, Forward, testing::ValuesIn(shapes()),
                         [](const auto& test) { return name(test.param); });

TEST(Forward, LargeScoresAndANegativeScale) {
  for (const double scale : {0.125, -0.125}) {
    check(Inputs({1, 1, 1, 70, 200, 64, scale, false}, 12.0f));
  }
}

TEST(Forward, ManyKeysForFewQueriesAreSplit) {
  // One tile of queries cannot fill a GPU: the keys are split among blocks and combined.
  for (const bool causal : {false, true}) {
    check(Inputs({1, 1, 1, 40, 2000, 64, 0.125, causal}));
    check(Inputs({1, 2, 2, 300, 1030, 128, 0.1, causal}));
  }
}

TEST(Forward, RefusesOtherHeadDims) {
  const auto entry = reinterpret_cast<decltype(&lab4_flash_attention2)>(
      load("lab4_flash_attention2_tuned_flash_attention2", "lab4_flash_attention2"));
  DeviceRun device;
  EXPECT_EQ(entry(nullptr, nullptr, nullptr, nullptr, nullptr, {1, 1, 4, 4, 48, 1.0f, false},
                  device.workspace(), nullptr),
            cudaErrorInvalidValue);
}

}  // namespace
}  // namespace flashlab::solutions
