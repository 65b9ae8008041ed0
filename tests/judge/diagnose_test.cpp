// Each wrong formula is computed here by plain loops, independently of hypotheses.cpp, and must be
// recognised.
#include "diagnose.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "worker/protocol.hpp"

namespace flashlab::judge {
namespace {

const Lab& lab() {
  static const Lab kLab = load_lab(LAB1_TOML);
  return kLab;
}

/// A naive float attention with a knob for each mistake.
struct Kernel {
  double scale_factor = 1;
  int keys_less = 0;  ///< keys left out at the end
  int padded_to = 0;  ///< keys with score 0 up to this number
  bool subtract_max = true, divide = true, softmax = true;
  float max_start = -std::numeric_limits<float>::infinity();
  bool head_zero = false, batch_zero = false, transposed_v = false;
  std::function<float(float)> store = [](float x) { return x; };
};

struct Outputs {
  std::vector<float> O, S, P;
};

Outputs run(const Kernel& kernel, const Shape& shape, const Inputs& inputs) {
  Outputs out;
  const int d = shape.head_dim, nk = shape.seq_k;
  for (int b = 0; b < shape.batch; ++b) {
    for (int h = 0; h < shape.heads; ++h) {
      const size_t own = static_cast<size_t>(b) * shape.heads + h;
      const size_t other =
          static_cast<size_t>(kernel.batch_zero ? 0 : b) * shape.heads + (kernel.head_zero ? 0 : h);
      const float* k = inputs.K.data() + other * nk * d;
      const float* v = inputs.V.data() + other * nk * d;
      for (int i = 0; i < shape.seq_q; ++i) {
        const float* q = inputs.Q.data() + (own * shape.seq_q + i) * d;
        std::vector<float> p(std::max(nk, kernel.padded_to), 0.0f);
        float m = kernel.max_start, l = 0;
        for (int j = 0; j < nk; ++j) {
          float dot = 0;
          for (int c = 0; c < d; ++c) dot += q[c] * k[j * d + c];
          p[j] = dot * static_cast<float>(shape.scale * kernel.scale_factor);
          out.S.push_back(p[j]);
        }
        const int keys = kernel.padded_to > 0 ? kernel.padded_to : nk - kernel.keys_less;
        for (int j = 0; j < keys; ++j) m = std::max(m, p[j]);
        for (int j = 0; j < keys && kernel.softmax; ++j) {
          p[j] = std::exp(p[j] - (kernel.subtract_max ? m : 0.0f));
          l += p[j];
        }
        for (int j = 0; j < keys && kernel.softmax && kernel.divide; ++j) p[j] /= l;
        out.P.insert(out.P.end(), p.begin(), p.begin() + nk);
        for (int c = 0; c < d; ++c) {
          float sum = 0;
          for (int j = 0; j < std::min(keys, nk); ++j)
            sum += p[j] * (kernel.transposed_v ? v[c * nk + j] : v[j * d + c]);
          out.O.push_back(kernel.store(sum));
        }
      }
    }
  }
  return out;
}

struct Problem {
  CaseSpec spec;
  Inputs inputs;
  reference::AttentionResult expected;

  explicit Problem(const std::string& name) {
    const auto found = std::ranges::find(lab().cases, name, &CaseSpec::name);
    if (found == lab().cases.end()) throw std::invalid_argument(name);
    spec = *found;
    inputs = draw_inputs(spec, 7);
    const Shape& s = spec.shape;
    expected = reference::attention_forward(
        {s.batch, s.heads, s.heads, s.seq_q, s.seq_k, s.head_dim, s.scale, false},
        std::span<const float>(inputs.Q), std::span<const float>(inputs.K),
        std::span<const float>(inputs.V), reference::Keep::kScoresAndProbabilities);
  }

  Comparison compared(const std::vector<float>& O) const {
    return compare(O, expected.O,
                   error_bound(lab().tolerance, expected.max_abs_score, expected.max_abs_value));
  }

  Diagnosis diagnosed(const Outputs& out, bool with_stages = false) const {
    const Comparison comparison = compared(out.O);
    EXPECT_FALSE(comparison.ok());
    return diagnose({lab(), spec.shape, inputs, expected, out.O,
                     with_stages ? std::span<const float>(out.S) : std::span<const float>(),
                     with_stages ? std::span<const float>(out.P) : std::span<const float>(),
                     comparison});
  }

  Diagnosis diagnosed(const Kernel& kernel, bool with_stages = false) const {
    return diagnosed(run(kernel, spec.shape, inputs), with_stages);
  }
};

TEST(Diagnose, TheRightKernelPassesEveryCase) {
  for (const CaseSpec& spec : lab().cases) {
    const Problem problem(spec.name);
    EXPECT_TRUE(problem.compared(run({}, spec.shape, problem.inputs).O).ok()) << spec.name;
  }
}

TEST(Diagnose, Scale) {
  const Problem problem("forward_n33_d20");
  const double d = 20;
  EXPECT_EQ(problem.diagnosed(Kernel{.scale_factor = std::sqrt(d)}).cause, "wrong_scale");
  EXPECT_NE(problem.diagnosed(Kernel{.scale_factor = std::sqrt(d)}).text.find("no scale at all"),
            std::string::npos);
  EXPECT_NE(problem.diagnosed(Kernel{.scale_factor = 1 / std::sqrt(d)}).text.find("1/d"),
            std::string::npos);
  const Problem other("scale_n72_d64");
  EXPECT_NE(
      other.diagnosed(Kernel{.scale_factor = 0.125 / 0.3}).text.find("asks for another scale"),
      std::string::npos);
}

TEST(Diagnose, MissingMaximum) {
  EXPECT_EQ(Problem("stable_scores_near_100").diagnosed(Kernel{.subtract_max = false}).cause,
            "missing_max");
  EXPECT_EQ(Problem("stable_scores_near_10000").diagnosed(Kernel{.subtract_max = false}).cause,
            "missing_max");
  const Problem negative("stable_scores_negative");
  EXPECT_EQ(negative.diagnosed(Kernel{.subtract_max = false}).cause, "underflow");
  EXPECT_EQ(negative.diagnosed(Kernel{.max_start = 0}).cause, "underflow");
}

TEST(Diagnose, DroppedAndPaddedKeys) {
  const Problem problem("forward_n130_d64");
  EXPECT_EQ(problem.diagnosed(Kernel{.keys_less = 1}).cause, "dropped_key");
  const Diagnosis tail = problem.diagnosed(Kernel{.keys_less = 2});
  EXPECT_EQ(tail.cause, "dropped_tail");
  EXPECT_NE(tail.text.find("first 128 of 130"), std::string::npos) << tail.text;
  EXPECT_EQ(problem.diagnosed(Kernel{.padded_to = 160}).cause, "padded_keys");
}

TEST(Diagnose, Softmax) {
  const Problem problem("forward_n33_d20");
  EXPECT_EQ(problem.diagnosed(Kernel{.divide = false}).cause, "not_normalised");
  EXPECT_EQ(problem.diagnosed(Kernel{.subtract_max = false, .divide = false}).cause,
            "not_normalised");
  EXPECT_EQ(problem.diagnosed(Kernel{.softmax = false}).cause, "no_softmax");
  EXPECT_EQ(problem.diagnosed(Kernel{.scale_factor = 0}).cause, "mean_of_v");
}

TEST(Diagnose, WrongAxis) {
  const Problem problem("forward_n33_d20");
  const Shape& shape = problem.spec.shape;
  Outputs out = run({}, shape, problem.inputs);
  for (int i = 0; i < shape.seq_q; ++i) {
    for (int c = 0; c < shape.head_dim; ++c) {
      double sum = 0;
      for (int j = 0; j < shape.seq_k; ++j) {
        double l = 0;
        for (int other = 0; other < shape.seq_q; ++other)
          l += std::exp(problem.expected.S[other * shape.seq_k + j]);
        sum += std::exp(problem.expected.S[i * shape.seq_k + j]) / l *
               problem.inputs.V[j * shape.head_dim + c];
      }
      out.O[i * shape.head_dim + c] = static_cast<float>(sum);
    }
  }
  EXPECT_EQ(problem.diagnosed(out).cause, "wrong_axis");
}

TEST(Diagnose, Layout) {
  EXPECT_EQ(Problem("heads_b1_h4_n64_d32").diagnosed(Kernel{.head_zero = true}).cause,
            "head_ignored");
  EXPECT_EQ(Problem("batch_b3_h2_n48_d40").diagnosed(Kernel{.batch_zero = true}).cause,
            "batch_ignored");
  EXPECT_EQ(Problem("cross_q40_k150_d32").diagnosed(Kernel{.transposed_v = true}).cause,
            "transposed_v");
  const Problem problem("forward_n33_d20");
  EXPECT_EQ(problem.diagnosed(Outputs{problem.inputs.V, {}, {}}).cause, "copies_v");
}

TEST(Diagnose, Outputs) {
  const Problem problem("forward_n130_d64");
  EXPECT_EQ(problem.diagnosed(Kernel{.store = [](float) { return 0.0f; }}).cause, "all_zero");
  EXPECT_EQ(problem.diagnosed(Kernel{.store = [](float x) { return 3 * x; }}).cause,
            "constant_factor");
  EXPECT_EQ(problem.diagnosed(Kernel{.store = [](float x) { return std::sqrt(x); }}).cause,
            "not_finite");
  const Kernel half{.store = [](float x) {
    return std::bit_cast<float>(std::bit_cast<uint32_t>(x) & ~((1u << 13) - 1));
  }};
  EXPECT_EQ(problem.diagnosed(half).cause, "lost_precision");
}

TEST(Diagnose, UnwrittenRows) {
  const Problem problem("forward_n130_d64");
  const float poison = std::bit_cast<float>(protocol::kPoison);
  Outputs out = run({}, problem.spec.shape, problem.inputs);
  std::fill(out.O.begin() + 128 * 64, out.O.end(), poison);
  const Diagnosis tail = problem.diagnosed(out);
  EXPECT_EQ(tail.cause, "unwritten");
  EXPECT_NE(tail.text.find("only rows 128 to 129 of 0..129"), std::string::npos) << tail.text;
  std::ranges::fill(out.O, poison);
  EXPECT_NE(problem.diagnosed(out).text.find("O was never written"), std::string::npos);
}

TEST(Diagnose, StagesPointToTheFirstWrongOne) {
  const Problem problem("forward_n33_d20");
  const Outputs right = run({}, problem.spec.shape, problem.inputs);
  const auto disturb = [](std::vector<float>& values) {
    for (size_t i = 0; i < values.size(); i += 3) values[i] += 0.3f;
  };
  Outputs out = right;
  disturb(out.O);
  EXPECT_EQ(problem.diagnosed(out, true).cause, "weighted_sum_wrong");
  disturb(out.P);
  EXPECT_EQ(problem.diagnosed(out, true).cause, "softmax_wrong");
  EXPECT_NE(problem.diagnosed(out, true).text.find("S is right, P is wrong"), std::string::npos);
  disturb(out.S);
  EXPECT_EQ(problem.diagnosed(out, true).cause, "scores_wrong");
  EXPECT_EQ(problem.diagnosed(out, false).cause, "unknown");
}

TEST(Diagnose, UnknownCauseNamesTheRegion) {
  const Problem problem("heads_b1_h4_n64_d32");
  Outputs out = run({}, problem.spec.shape, problem.inputs);
  out.O[((2 * 64) + 5) * 32 + 1] += 1;
  const Diagnosis diagnosis = problem.diagnosed(out);
  EXPECT_EQ(diagnosis.cause, "unknown");
  EXPECT_NE(diagnosis.text.find("head 2 of 0..3, row 5 of 0..63, column 1 of 0..31"),
            std::string::npos)
      << diagnosis.text;
}

}  // namespace
}  // namespace flashlab::judge
