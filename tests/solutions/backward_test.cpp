// The backward passes of lab 5 against the float64 reference.
#include <flashlab/lab5.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "device_run.hpp"
#include "reference/attention_backward.hpp"

namespace flashlab::solutions {
namespace {

constexpr double kEps32 = std::numeric_limits<float>::epsilon();
using Entry = decltype(&lab5_flash_attention_backward);

struct Gradients {
  std::vector<double> dQ, dK, dV;
};

/// Runs `library` on what the reference's forward pass left behind.
Gradients run(const char* library, const Inputs& in) {
  const auto entry = reinterpret_cast<Entry>(load(library, "lab5_flash_attention_backward"));
  const reference::AttentionResult forward =
      reference::attention_forward(in.shape, in.Q, in.K, in.V);
  const Floats O(forward.O.begin(), forward.O.end()), L(forward.L.begin(), forward.L.end());
  DeviceRun device;
  float *dQ = device.output(in.Q.size()), *dK = device.output(in.K.size()),
        *dV = device.output(in.K.size());
  EXPECT_EQ(entry(device.input(in.Q), device.input(in.K), device.input(in.V), device.input(O),
                  device.input(L), device.input(in.dO), dQ, dK, dV, in.device_shape(),
                  device.workspace(), nullptr),
            cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  return {device.read(dQ, in.Q.size()), device.read(dK, in.K.size()), device.read(dV, in.K.size())};
}

double largest(const Floats& tensor) {
  float max_abs = 0.0f;
  for (const float x : tensor) max_abs = std::max(max_abs, std::abs(x));
  return max_abs;
}

/// Each gradient within float32 rounding: P is off by a factor 1 + score_error, and a row of P sums
/// to 1, hence the bound for dQ. A column of P sums to anything up to Nq, and to 1 or so where Nq =
/// Nk; Nq / Nk more where the queries are more.
void check(const char* library, const Inputs& in) {
  const reference::AttentionShape& s = in.shape;
  const Gradients got = run(library, in);
  const reference::AttentionGradients want =
      reference::attention_backward(s, in.Q, in.K, in.V, in.dO);
  const double max_score = reference::attention_forward(s, in.Q, in.K, in.V).max_abs_score;
  const double score_error = 8 * kEps32 * std::max(1.0, max_score);
  const double dS_error = score_error * want.max_abs_dp * std::abs(s.scale);
  const double column = std::sqrt(s.seq_q) * std::max(1.0, 1.0 * s.seq_q / s.seq_k);
  EXPECT_TRUE(near(got.dQ, want.dQ, 1e-6 + dS_error * largest(in.K)));
  EXPECT_TRUE(near(got.dK, want.dK, 1e-6 + dS_error * largest(in.Q) * column));
  EXPECT_TRUE(near(got.dV, want.dV, 1e-6 + score_error * largest(in.dO) * column));
}

constexpr const char* kBase = "lab5_backward_flash_attention_backward";
constexpr const char* kTuned = "lab5_backward_tuned_flash_attention_backward";

class Backward : public testing::TestWithParam<reference::AttentionShape> {};

TEST_P(Backward, BaseEqualsTheReference) {
  check(kBase, Inputs(GetParam()));
}

TEST_P(Backward, TunedEqualsTheReference) {
  check(kTuned, Inputs(GetParam()));
}

TEST_P(Backward, BaseGivesTheSameBitsTwice) {
  const Inputs in(GetParam());
  const Gradients first = run(kBase, in), second = run(kBase, in);
  EXPECT_EQ(first.dQ, second.dQ);
  EXPECT_EQ(first.dK, second.dK);
  EXPECT_EQ(first.dV, second.dV);
}

INSTANTIATE_TEST_SUITE_P(Lab5, Backward, testing::ValuesIn(shapes()),
                         [](const auto& test) { return name(test.param); });

TEST(Backward, LargeScoresAndANegativeScale) {
  for (const char* library : {kBase, kTuned}) {
    for (const double scale : {0.125, -0.125}) {
      check(library, Inputs({1, 1, 1, 70, 200, 64, scale, false}, 6.0f));
      check(library, Inputs({1, 1, 1, 70, 61, 64, scale, true}, 6.0f));
    }
  }
}

TEST(Backward, RefusesOtherHeadDims) {
  for (const char* library : {kBase, kTuned}) {
    const auto entry = reinterpret_cast<Entry>(load(library, "lab5_flash_attention_backward"));
    DeviceRun device;
    EXPECT_EQ(entry(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                    {1, 1, 4, 4, 48, 1.0f, false}, device.workspace(), nullptr),
              cudaErrorInvalidValue);
  }
}

}  // namespace
}  // namespace flashlab::solutions
