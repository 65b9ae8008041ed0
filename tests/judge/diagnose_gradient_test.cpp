// Causes of lab 5: each wrong formula is computed here by plain loops, independently of
// gradient_weights.cpp and hypotheses_gradient.cpp, and must be recognised.
#include "diagnose_gradient.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>

#include "worker/protocol.hpp"

namespace flashlab::judge {
namespace {

const Lab& lab() {
  static const Lab kLab = load_lab(std::string(LABS_DIR) + "/lab5_backward/lab.toml");
  return kLab;
}

/// What a kernel knows of one pair of query i and key j.
struct Pair {
  int i, j;
  double s, L, dp, D;
};

/// A backward pass over pairs with a knob for each mistake.
struct Kernel {
  std::function<bool(int i, int j)> sees = nullptr;  ///< in place of the right mask
  std::function<double(const Pair&)> p = [](const Pair& x) { return std::exp(x.s - x.L); };
  std::function<double(double weight, const Pair&)> ds = [](double weight, const Pair& x) {
    return weight * (x.dp - x.D);
  };
  std::function<double(double d_o, double o)> dot_term = [](double d_o, double o) {
    return d_o * o;
  };
  double scale_dk = 1, scale_dq = 1;                          ///< beside the right scale
  std::function<bool(int i, int j)> counts_in_dq = nullptr;   ///< pairs that dQ sums
  std::function<bool(int i, int j)> counts_in_dkv = nullptr;  ///< pairs that dK and dV sum
  bool kv_of_head_zero = false;
  int transposed_tile = 0;  ///< dK takes dS from the other side of the tile's diagonal
};

using Gradients = std::map<std::string, std::vector<float>>;

class Backward {
 public:
  explicit Backward(const std::string& name) {
    const auto found = std::ranges::find(lab().cases, name, &CaseSpec::name);
    if (found == lab().cases.end()) throw std::invalid_argument(name);
    spec_ = *found;
    inputs_ = draw_inputs(spec_, 7);
    dO_ = draw_output_gradient(spec_, 7);
    const Shape& s = spec_.shape;
    const reference::AttentionShape shape = {s.batch, s.heads,    s.heads, s.seq_q,
                                             s.seq_k, s.head_dim, s.scale, s.causal};
    const std::span<const float> Q = inputs_.Q, K = inputs_.K, V = inputs_.V;
    forward_ =
        reference::attention_forward(shape, Q, K, V, reference::Keep::kScoresAndProbabilities);
    expected_ = reference::attention_backward(shape, Q, K, V, dO_);
  }

  Gradients run(const Kernel& kernel) const {
    const Shape& shape = spec_.shape;
    Gradients out = {{"dQ", std::vector<float>(inputs_.Q.size())},
                     {"dK", std::vector<float>(inputs_.K.size())},
                     {"dV", std::vector<float>(inputs_.V.size())}};
    for (size_t slice = 0; slice < shape.slices(); ++slice) run_head(kernel, slice, out);
    return out;
  }

  Comparison compared(const Gradients& out, const std::string& name) const {
    const auto& right = name == "dQ" ? expected_.dQ : name == "dK" ? expected_.dK : expected_.dV;
    return compare(out.at(name), right, {1e-3, 1e-4});
  }

  Diagnosis diagnosed(const Gradients& out, const std::string& name) const {
    GradientEvidence evidence{lab(), spec_.shape,  inputs_,
                              dO_,   forward_,     expected_,
                              name,  out.at(name), compared(out, name)};
    EXPECT_FALSE(evidence.comparison.ok());
    return diagnose_gradient(evidence);
  }

  std::string cause(const Kernel& kernel, const std::string& name) const {
    return diagnosed(run(kernel), name).cause;
  }

  int offset() const { return spec_.shape.seq_k - spec_.shape.seq_q; }
  double scale() const { return spec_.shape.scale; }

 private:
  void run_head(const Kernel& kernel, size_t slice, Gradients& out) const {
    const Shape& shape = spec_.shape;
    const int d = shape.head_dim, n = shape.seq_q, keys = shape.seq_k;
    const size_t kv = kernel.kv_of_head_zero ? slice / shape.heads * shape.heads : slice;
    const float* q = inputs_.Q.data() + slice * n * d;
    const float* k = inputs_.K.data() + kv * keys * d;
    const float* v = inputs_.V.data() + kv * keys * d;
    const float* d_o = dO_.data() + slice * n * d;
    const double* o = forward_.O.data() + slice * n * d;
    std::vector<double> p(n * keys), ds(n * keys);
    for (int i = 0; i < n; ++i) {
      double D = 0;
      for (int c = 0; c < d; ++c) D += kernel.dot_term(d_o[i * d + c], o[i * d + c]);
      for (int j = 0; j < keys; ++j) {
        const bool is_seen = kernel.sees    ? kernel.sees(i, j)
                             : shape.causal ? j <= i + offset()
                                            : true;
        if (!is_seen) continue;
        Pair pair = {i, j, 0, forward_.L[slice * n + i], 0, D};
        for (int c = 0; c < d; ++c) {
          pair.s += shape.scale * q[i * d + c] * k[j * d + c];
          pair.dp += static_cast<double>(d_o[i * d + c]) * v[j * d + c];
        }
        p[i * keys + j] = kernel.p(pair);
        ds[i * keys + j] = shape.scale * kernel.ds(p[i * keys + j], pair);
      }
    }
    const auto weight_dk = [&](int i, int j) {
      const int tile = kernel.transposed_tile;
      if (tile == 0) return ds[i * keys + j];
      const int row = i / tile * tile + j % tile, column = j / tile * tile + i % tile;
      return row < n && column < keys ? ds[row * keys + column] : 0;
    };
    std::vector<double> dq(n * d), dk(keys * d), dv(keys * d);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < keys; ++j) {
        const bool in_dq = !kernel.counts_in_dq || kernel.counts_in_dq(i, j);
        const bool in_dkv = !kernel.counts_in_dkv || kernel.counts_in_dkv(i, j);
        for (int c = 0; c < d; ++c) {
          if (in_dq) dq[i * d + c] += kernel.scale_dq * ds[i * keys + j] * k[j * d + c];
          if (in_dkv) dk[j * d + c] += kernel.scale_dk * weight_dk(i, j) * q[i * d + c];
          if (in_dkv) dv[j * d + c] += p[i * keys + j] * d_o[i * d + c];
        }
      }
    }
    std::ranges::copy(dq, out["dQ"].begin() + static_cast<ptrdiff_t>(slice * n * d));
    std::ranges::copy(dk, out["dK"].begin() + static_cast<ptrdiff_t>(slice * keys * d));
    std::ranges::copy(dv, out["dV"].begin() + static_cast<ptrdiff_t>(slice * keys * d));
  }

  CaseSpec spec_;
  Inputs inputs_;
  std::vector<float> dO_;
  reference::AttentionResult forward_;
  reference::AttentionGradients expected_;
};

TEST(DiagnoseGradient, TheRightKernelNeedsNoDiagnosis) {
  for (const char* name : {"backward_n33_d32", "batch_b3_h2_n70_d32", "causal_q70_k150_d64"}) {
    const Backward problem(name);
    const Gradients out = problem.run({});
    for (const char* gradient : {"dQ", "dK", "dV"}) {
      EXPECT_TRUE(problem.compared(out, gradient).ok()) << name << " " << gradient;
    }
  }
}

TEST(DiagnoseGradient, Probabilities) {
  const Backward problem("backward_n33_d32");
  const auto cause = [&](std::function<double(const Pair&)> p) {
    return problem.cause({.p = std::move(p)}, "dV");
  };
  EXPECT_EQ(cause([](const Pair& x) { return std::exp(x.s); }), "lse_missing");
  EXPECT_EQ(cause([](const Pair& x) { return std::exp2(x.s - x.L); }), "lse_base");
  EXPECT_EQ(cause([](const Pair& x) { return std::exp2(x.s / std::log(2.0) - x.L); }), "lse_base");
  EXPECT_EQ(cause([](const Pair& x) { return std::exp(x.s) / x.L; }), "lse_divided");
  EXPECT_EQ(cause([&](const Pair& x) { return std::exp(x.s / problem.scale() - x.L); }),
            "scale_missing_in_s");
  const Backward other("scale_n72_d64");
  const auto fixed = [&](const Pair& x) { return std::exp(x.s * 0.125 / other.scale() - x.L); };
  EXPECT_EQ(other.cause({.p = fixed}, "dV"), "scale_not_the_argument");
  // In dQ and dK a wrong P is recognised too: each kernel recomputes it.
  const Kernel without_lse = {.p = [](const Pair& x) { return std::exp(x.s); }};
  EXPECT_EQ(problem.cause(without_lse, "dQ"), "lse_missing");
  EXPECT_EQ(problem.cause(without_lse, "dK"), "lse_missing");
}

TEST(DiagnoseGradient, ScoreGradients) {
  const Backward problem("backward_n33_d32");
  const auto cause = [&](const std::function<double(double, const Pair&)>& ds) {
    std::string of_dk = problem.cause({.ds = ds}, "dK");
    EXPECT_EQ(problem.cause({.ds = ds}, "dQ"), of_dk);
    return of_dk;
  };
  EXPECT_EQ(cause([](double p, const Pair& x) { return p * x.dp; }), "missing_d");
  EXPECT_EQ(cause([](double p, const Pair& x) { return p * (x.dp + x.D); }), "d_sign");
  EXPECT_EQ(cause([](double, const Pair& x) { return x.dp - x.D; }), "missing_p");
  const double scale = problem.scale();
  EXPECT_EQ(cause([=](double p, const Pair& x) { return p * (scale * x.dp - x.D); }),
            "scale_early");
  const auto of_d = [&](std::function<double(double, double)> term) {
    return problem.diagnosed(problem.run({.dot_term = std::move(term)}), "dK");
  };
  EXPECT_EQ(of_d([](double d_o, double) { return d_o * d_o; }).cause, "wrong_d");
  EXPECT_EQ(of_d([](double d_o, double) { return d_o; }).cause, "wrong_d");
  EXPECT_EQ(of_d([](double, double o) { return o * o; }).cause, "wrong_d");
}

TEST(DiagnoseGradient, Products) {
  const Backward problem("backward_n127_d64");
  const double scale = problem.scale();
  EXPECT_EQ(problem.cause({.scale_dk = 1 / scale}, "dK"), "missing_scale");
  EXPECT_EQ(problem.cause({.scale_dq = 1 / scale}, "dQ"), "missing_scale");
  EXPECT_EQ(problem.cause({.scale_dq = scale}, "dQ"), "scale_twice");
  EXPECT_EQ(problem.cause({.transposed_tile = 32}, "dK"), "tile_transposed");
  Gradients out = problem.run({});
  std::swap(out["dK"], out["dV"]);
  EXPECT_EQ(problem.diagnosed(out, "dV").cause, "swapped");
}

TEST(DiagnoseGradient, Tiles) {
  const Backward problem("backward_n127_d64");
  EXPECT_EQ(problem.cause({.counts_in_dq = [](int, int j) { return j >= 96; }}, "dQ"),
            "only_last_tile");
  EXPECT_EQ(problem.cause({.counts_in_dkv = [](int i, int) { return i < 96; }}, "dV"),
            "dropped_tile");
  EXPECT_EQ(problem.cause({.counts_in_dkv = [](int i, int) { return i < 126; }}, "dK"),
            "dropped_last");
}

TEST(DiagnoseGradient, Masks) {
  const Backward problem("causal_q70_k150_d64");
  const int offset = problem.offset();
  const auto cause = [&](std::function<bool(int, int)> sees) {
    return problem.cause({.sees = std::move(sees)}, "dV");
  };
  EXPECT_EQ(cause([](int, int) { return true; }), "mask_ignored");
  EXPECT_EQ(cause([](int i, int j) { return j <= i; }), "mask_top_left");
  EXPECT_EQ(cause([=](int i, int j) { return j < i + offset; }), "mask_off_by_one");
  EXPECT_EQ(cause([=](int i, int j) { return j <= i + offset + 1; }), "mask_off_by_one");
  EXPECT_EQ(cause([=](int i, int j) { return j / 32 * 32 <= i / 32 * 32 + 31 + offset; }),
            "mask_by_tile");
}

TEST(DiagnoseGradient, OtherHeads) {
  const Backward problem("heads_b1_h4_n96_d64");
  EXPECT_EQ(problem.cause({.kv_of_head_zero = true}, "dV"), "head_ignored");
}

TEST(DiagnoseGradient, ZerosAndWhatIsNotWritten) {
  const Backward problem("backward_n33_d32");
  Gradients out = problem.run({});
  std::ranges::fill(out["dV"], 0.0f);
  EXPECT_EQ(problem.diagnosed(out, "dV").cause, "all_zero");
  std::ranges::fill(out["dK"], std::bit_cast<float>(protocol::kPoison));
  EXPECT_EQ(problem.diagnosed(out, "dK").cause, "unwritten");
  // With one key dS is 0, as dV is here: dV does not "hold dK".
  const Backward one("backward_n1_d32");
  out = one.run({});
  std::ranges::fill(out["dV"], 0.0f);
  const Diagnosis diagnosis = one.diagnosed(out, "dV");
  EXPECT_EQ(diagnosis.cause, "all_zero");
  EXPECT_NE(diagnosis.text.find("N / tile, which is 0"), std::string::npos) << diagnosis.text;
}

TEST(DiagnoseGradient, NoFormulaExplainsNoise) {
  const Backward problem("backward_n33_d32");
  Gradients out = problem.run({});
  for (size_t i = 0; i < out["dQ"].size(); i += 3) out["dQ"][i] += 0.3f;
  EXPECT_EQ(problem.diagnosed(out, "dQ").cause, "unknown");
}

}  // namespace
}  // namespace flashlab::judge
