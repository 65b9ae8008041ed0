// Causes of labs 2, 3 and 4: each wrong formula is computed here by plain loops, independently of
// online_states.cpp, hypotheses_online.cpp and diagnose_lse.cpp, and must be recognised.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "diagnose.hpp"
#include "online_states.hpp"

namespace flashlab::judge {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

const Lab& lab(const std::string& folder) {
  static const Lab kLab2 = load_lab(std::string(LABS_DIR) + "/lab2_online_softmax/lab.toml");
  static const Lab kLab4 = load_lab(std::string(LABS_DIR) + "/lab4_flash_attention2/lab.toml");
  return folder == "lab2" ? kLab2 : kLab4;
}

CaseSpec find_case(const Lab& lab, const std::string& name) {
  const auto found = std::ranges::find(lab.cases, name, &CaseSpec::name);
  if (found == lab.cases.end()) throw std::invalid_argument(name);
  return *found;
}

/// An online softmax over tiles of 32 keys with a knob for each mistake, in float.
struct Kernel {
  bool rescale_o = true, rescale_l = true, inverse = false, keeps_state = true;
  /// Of FlashAttention 1, whose O is divided after every tile: what the old O and the new weights
  /// are multiplied by.
  std::function<std::array<float, 2>(float alpha, float l_old, float l_new)> factors = nullptr;
  std::function<bool(int i, int j)> sees = nullptr;  ///< in place of the right mask
  std::function<float(float m, float l)> log_sum_exp = [](float m, float l) {
    return m + std::log(l);
  };
};

struct Outputs {
  std::vector<float> O, L;
};

class Forward {
 public:
  explicit Forward(const std::string& name) : spec_(find_case(lab("lab4"), name)) {
    inputs_ = draw_inputs(spec_, 7);
    const Shape& s = spec_.shape;
    expected_ = reference::attention_forward(
        {s.batch, s.heads, s.heads, s.seq_q, s.seq_k, s.head_dim, s.scale, s.causal},
        std::span<const float>(inputs_.Q), std::span<const float>(inputs_.K),
        std::span<const float>(inputs_.V), reference::Keep::kScoresAndProbabilities);
  }

  /// One head only.
  Outputs run(const Kernel& kernel) const {
    const int d = spec_.shape.head_dim, n = spec_.shape.seq_q, keys = spec_.shape.seq_k;
    Outputs out;
    for (int i = 0; i < n; ++i) {
      float m = -kInf, l = 0;
      std::vector<float> o(d);
      for (int first = 0; first < keys; first += 32) {
        std::vector<float> s;
        for (int j = first; j < std::min(first + 32, keys); ++j) s.push_back(score(kernel, i, j));
        const float m_new = std::max(m, *std::ranges::max_element(s));
        if (m_new == -kInf) continue;
        float alpha = std::exp(m - m_new);
        if (kernel.inverse && m != -kInf) alpha = 1 / alpha;
        const float l_old = l;
        l *= !kernel.keeps_state ? 0 : kernel.rescale_l ? alpha : 1;
        for (const float x : s) l += std::exp(x - m_new);
        float keep = !kernel.keeps_state ? 0 : kernel.rescale_o ? alpha : 1, take = 1;
        if (kernel.factors) {
          keep = kernel.factors(alpha, l_old, l)[0];
          take = kernel.factors(alpha, l_old, l)[1];
        }
        for (float& x : o) x *= keep;
        for (size_t j = 0; j < s.size(); ++j) {
          const float p = take * std::exp(s[j] - m_new);
          for (int c = 0; c < d; ++c) o[c] += p * inputs_.V[(first + j) * d + c];
        }
        m = m_new;
      }
      for (const float x : o) out.O.push_back(kernel.factors ? x : l > 0 ? x / l : 0);
      out.L.push_back(l > 0 ? kernel.log_sum_exp(m, l) : -kInf);
    }
    return out;
  }

  Comparison compared(const Outputs& out) const {
    return compare(
        out.O, expected_.O,
        error_bound(lab("lab4").tolerance, expected_.max_abs_score, expected_.max_abs_value));
  }

  Diagnosis diagnosed(const Kernel& kernel) const {
    const Outputs out = run(kernel);
    const Comparison comparison = compared(out);
    EXPECT_FALSE(comparison.ok());
    return diagnose({lab("lab4"), spec_.shape, inputs_, expected_, out.O, {}, {}, comparison});
  }

  Comparison compared_lse(const Outputs& out) const {
    return compare(out.L, expected_.L, {1e-4, 1e-4});
  }

  Diagnosis diagnosed_lse(std::function<float(float, float)> formula) const {
    const Outputs out = run({.log_sum_exp = std::move(formula)});
    const Comparison comparison = compared_lse(out);
    EXPECT_FALSE(comparison.ok());
    return diagnose_log_sum_exp({lab("lab4"), spec_.shape, expected_, out.L, comparison});
  }

  int offset() const { return spec_.shape.seq_k - spec_.shape.seq_q; }

 private:
  float score(const Kernel& kernel, int i, int j) const {
    const bool is_seen = kernel.sees          ? kernel.sees(i, j)
                         : spec_.shape.causal ? j <= i + offset()
                                              : true;
    if (!is_seen) return -kInf;
    const int d = spec_.shape.head_dim;
    float dot = 0;
    for (int c = 0; c < d; ++c) dot += inputs_.Q[i * d + c] * inputs_.K[j * d + c];
    return dot * static_cast<float>(spec_.shape.scale);
  }

  CaseSpec spec_;
  Inputs inputs_;
  reference::AttentionResult expected_;
};

TEST(DiagnoseOnline, TheRightKernelNeedsNoDiagnosis) {
  for (const char* name : {"forward_n33_d32", "forward_n127_d64", "causal_q70_k150_d64"}) {
    const Forward problem(name);
    EXPECT_TRUE(problem.compared(problem.run({})).ok()) << name;
    EXPECT_TRUE(problem.compared_lse(problem.run({})).ok()) << name;
  }
}

TEST(DiagnoseOnline, TilesMergedWrongly) {
  const Forward problem("forward_n127_d64");
  EXPECT_EQ(problem.diagnosed({.rescale_o = false, .rescale_l = false}).cause, "no_rescale");
  EXPECT_EQ(problem.diagnosed({.rescale_o = false}).cause, "no_rescale_o");
  EXPECT_EQ(problem.diagnosed({.rescale_l = false}).cause, "no_rescale_l");
  EXPECT_EQ(problem.diagnosed({.inverse = true}).cause, "inverse_rescale");
  EXPECT_EQ(problem.diagnosed({.keeps_state = false}).cause, "state_lost");
  const Diagnosis diagnosis = problem.diagnosed({.rescale_l = false});
  EXPECT_NE(diagnosis.text.find("tiles of 32 keys"), std::string::npos) << diagnosis.text;
}

TEST(DiagnoseOnline, TilesOfFlashAttention1) {
  const Forward problem("forward_n127_d64");
  using Factors = std::array<float, 2>;
  const auto right = [](float alpha, float l_old, float l) {
    return Factors{l_old * alpha / l, 1 / l};
  };
  EXPECT_TRUE(problem.compared(problem.run({.factors = right})).ok());
  const auto without_old_l = [](float alpha, float, float l) { return Factors{alpha / l, 1 / l}; };
  EXPECT_EQ(problem.diagnosed({.factors = without_old_l}).cause, "old_l_forgotten");
  const auto only_new_divided = [](float alpha, float, float l) { return Factors{alpha, 1 / l}; };
  EXPECT_EQ(problem.diagnosed({.factors = only_new_divided}).cause, "old_o_not_divided");
}

TEST(DiagnoseOnline, Masks) {
  const Forward problem("causal_q70_k150_d64");
  const int offset = problem.offset();
  const auto cause = [&](std::function<bool(int, int)> sees) {
    return problem.diagnosed({.sees = std::move(sees)}).cause;
  };
  EXPECT_EQ(cause([](int, int) { return true; }), "mask_ignored");
  EXPECT_EQ(cause([=](int i, int j) { return j < i + offset; }), "mask_off_by_one");
  EXPECT_EQ(cause([=](int i, int j) { return j <= i + offset + 1; }), "mask_off_by_one");
  EXPECT_EQ(cause([](int i, int j) { return j <= i; }), "mask_alignment");
  EXPECT_EQ(cause([=](int i, int j) { return j >= i + offset; }), "mask_direction");
  EXPECT_EQ(cause([=](int i, int j) { return j / 16 * 16 <= i + offset; }), "mask_by_tile");
}

TEST(DiagnoseOnline, LogSumExp) {
  const Forward problem("forward_n33_d32");
  const auto cause = [&](std::function<float(float, float)> formula) {
    return problem.diagnosed_lse(std::move(formula)).cause;
  };
  EXPECT_EQ(cause([](float, float l) { return std::log(l); }), "lse_without_max");
  EXPECT_EQ(cause([](float m, float) { return m; }), "lse_is_max");
  EXPECT_EQ(cause([](float m, float l) { return m + std::log2(l); }), "lse_log2");
  EXPECT_EQ(cause([](float m, float l) { return (m + std::log(l)) / std::log(2.0f); }), "lse_log2");
  EXPECT_EQ(cause([](float, float l) { return l; }), "lse_is_sum");
  EXPECT_EQ(cause([](float m, float l) { return m - std::log(l); }), "lse_sign");
  EXPECT_EQ(cause([](float m, float l) { return 3 * m - l; }), "lse_wrong");
}

/// Lab 2: the hypothesis whose states are these; empty when there is none, or more causes than one.
std::string cause_of(const std::vector<StateHypothesis>& hypotheses, const RowStates& states) {
  const auto is_same = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::ranges::equal(a, b, [](double x, double y) {
      return x == y || std::abs(x - y) <= 1e-9 * (1 + std::abs(x));
    });
  };
  std::string cause;
  for (const StateHypothesis& hypothesis : hypotheses) {
    const RowStates predicted = hypothesis.states();
    if (!is_same(predicted.m, states.m) || !is_same(predicted.l, states.l) ||
        !is_same(predicted.o, states.o)) {
      continue;
    }
    if (!cause.empty() && cause != hypothesis.cause) return "";
    cause = hypothesis.cause;
  }
  return cause;
}

/// The parts of every row merged one after the other; `weights` are of l and of o of the state so
/// far, then of the next part.
RowStates merged(const Shape& shape, const PartialStates& parts,
                 const std::function<std::array<double, 4>(double a, double b)>& weights) {
  RowStates states;
  const size_t d = shape.head_dim;
  for (int row = 0; row < shape.seq_q; ++row) {
    const size_t first = static_cast<size_t>(row) * shape.seq_k;
    double m = parts.m[first], l = parts.l[first];
    std::vector<double> o(parts.o.begin() + first * d, parts.o.begin() + (first + 1) * d);
    for (size_t p = first + 1; p < first + shape.seq_k; ++p) {
      const double m_new = std::max<double>(m, parts.m[p]);
      const auto [l_a, o_a, l_b, o_b] = weights(std::exp(m - m_new), std::exp(parts.m[p] - m_new));
      l = l_a * l + l_b * parts.l[p];
      for (size_t c = 0; c < d; ++c) o[c] = o_a * o[c] + o_b * parts.o[p * d + c];
      m = m_new;
    }
    states.m.push_back(m);
    states.l.push_back(l);
    states.o.insert(states.o.end(), o.begin(), o.end());
  }
  return states;
}

TEST(DiagnoseStates, Merge) {
  const CaseSpec spec = find_case(lab("lab2"), "merge_r40_p2_d8");
  const PartialStates parts = draw_states(spec, 7);
  const auto cause = [&](const std::function<std::array<double, 4>(double, double)>& weights) {
    return cause_of(merge_hypotheses(spec.shape, parts), merged(spec.shape, parts, weights));
  };
  using Weights = std::array<double, 4>;
  EXPECT_EQ(cause([](double a, double b) { return Weights{a, a, b, b}; }), "");
  EXPECT_EQ(cause([](double, double) { return Weights{1, 1, 1, 1}; }), "no_rescale");
  EXPECT_EQ(cause([](double a, double b) { return Weights{1, a, 1, b}; }), "no_rescale_l");
  EXPECT_EQ(cause([](double a, double b) { return Weights{a, 1, b, 1}; }), "no_rescale_o");
  EXPECT_EQ(cause([](double a, double) { return Weights{a, a, 1, 1}; }), "one_side_rescaled");
  EXPECT_EQ(cause([](double a, double b) {
              return Weights{1 / a, 1 / a, 1 / b, 1 / b};
            }),
            "inverse_rescale");
}

TEST(DiagnoseStates, Rows) {
  const CaseSpec spec = find_case(lab("lab2"), "statistics_r7_n257");
  const Shape& shape = spec.shape;
  const std::vector<float> S = draw_scores(spec, 7);
  /// m and l of the columns that count, m starting at `start`.
  const auto cause = [&](double start, const std::function<bool(int)>& counts, bool subtract) {
    RowStates states;
    for (int row = 0; row < shape.seq_q; ++row) {
      double m = start, l = 0;
      const auto score = [&](int j) -> double { return S[row * shape.seq_k + j]; };
      for (int j = 0; j < shape.seq_k; ++j) m = counts(j) ? std::max(m, score(j)) : m;
      for (int j = 0; j < shape.seq_k; ++j) {
        l += counts(j) ? std::exp(score(j) - (subtract ? m : 0)) : 0;
      }
      states.m.push_back(m);
      states.l.push_back(l);
    }
    return cause_of(row_hypotheses(shape, S), states);
  };
  const auto all = [](int) { return true; };
  EXPECT_EQ(cause(-kInf, all, true), "");
  EXPECT_EQ(cause(-kInf, all, false), "missing_max");
  EXPECT_EQ(cause(
                -kInf, [](int j) { return j % 32 < 16; }, true),
            "lanes_left_out");
  EXPECT_EQ(cause(
                -kInf, [](int j) { return j % 128 < 32; }, true),
            "warps_left_out");
  EXPECT_EQ(cause(
                -kInf, [](int) { return false; }, true),
            "dropped_tail");
}

}  // namespace
}  // namespace flashlab::judge
