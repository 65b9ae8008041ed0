// What wrong formulas of the backward pass would give for dQ, dK and dV. A gradient is a product of
// a weight per pair of query and key (P, dS) with rows (dO, Q, K): either can be wrong.
#include <cmath>

#include "diagnose_gradient.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::RowMatrix;
using Weights = RowMatrix (*)(const Head&);

/// A wrong weight per pair, and how to say so.
struct Variant {
  const char* cause;
  const char* text;
  const char* topic;
  Weights weights;
};

/// P from a formula of the score without a mask and of L, where the mask `sees` the pair.
template <class Sees, class Formula>
RowMatrix probabilities(const Head& head, Sees sees, Formula formula) {
  RowMatrix result = RowMatrix::Zero(head.raw.rows(), head.raw.cols());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    if (!std::isfinite(head.L(i))) continue;
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
      if (sees(i, j)) result(i, j) = formula(head.raw(i, j), head.L(i));
    }
  }
  return result;
}

template <class Formula>
RowMatrix recomputed(const Head& head, Formula formula) {
  const auto sees = [&](Eigen::Index i, Eigen::Index j) { return std::isfinite(head.S(i, j)); };
  return probabilities(head, sees, formula);
}

template <class Sees>
RowMatrix masked(const Head& head, Sees sees) {
  return probabilities(head, sees, [](double s, double l) { return std::exp(s - l); });
}

constexpr double kLog2e = 1.4426950408889634;

const Variant kProbabilities[] = {
    {"lse_missing", "P = exp(S) gives: L is missing, P = exp(S - L).", "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double) { return std::exp(s); });
     }},
    {"lse_base",
     "P = 2^(S - L) gives: L is a natural logarithm. Use expf, or multiply both S and L by "
     "log2(e).",
     "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double l) { return std::exp2(s - l); });
     }},
    {"lse_base",
     "P = 2^(S log2(e) - L) gives: multiply L by log2(e) too, it is a natural logarithm.",
     "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double l) { return std::exp2(s * kLog2e - l); });
     }},
    {"lse_divided",
     "P = exp(S) / L gives: L is the logarithm of the sum, not the sum. P = exp(S - L).",
     "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double l) { return std::exp(s) / l; });
     }},
    {"scale_missing_in_s", "P = exp(Q K^T - L) gives: the scale is missing in S.", "recompute",
     [](const Head& head) {
       const double scale = head.scale;
       return recomputed(head, [scale](double s, double l) { return std::exp(s / scale - l); });
     }},
    {"mask_ignored", "P without the mask gives: a key j > i + Nk - Nq has P = 0.", "mask",
     [](const Head& head) {
       return masked(head, [](Eigen::Index, Eigen::Index) { return true; });
     }},
    {"mask_top_left",
     "the mask j <= i gives. It is aligned to the bottom right corner: j <= i + Nk - Nq.", "mask",
     [](const Head& head) {
       return masked(head, [](Eigen::Index i, Eigen::Index j) { return j <= i; });
     }},
    {"mask_off_by_one", "the mask j < i + Nk - Nq gives: key i + Nk - Nq itself is seen.", "mask",
     [](const Head& head) {
       const Eigen::Index offset = head.raw.cols() - head.raw.rows();
       return masked(head, [offset](Eigen::Index i, Eigen::Index j) { return j < i + offset; });
     }},
};

const Variant kScoreGradients[] = {
    {"missing_d", "dS = P o dP gives: D is missing, dS = P o (dP - D) with D = rowsum(dO o O).",
     "ds", [](const Head& head) -> RowMatrix { return head.P.cwiseProduct(head.dP); }},
    {"d_sign", "dS = P o (dP + D) gives: D is subtracted.", "ds",
     [](const Head& head) -> RowMatrix {
       return head.P.array() * (head.dP.colwise() + head.D).array();
     }},
    {"missing_p", "dS = dP - D gives: the factor P is missing, dS = P o (dP - D).", "ds",
     [](const Head& head) -> RowMatrix {
       return (head.P.array() > 0).select(head.dP.colwise() - head.D, 0.0);
     }},
    {"scale_early", "dS = P o (scale dP - D) gives: the scale belongs to dQ and dK, not to dP.",
     "ds",
     [](const Head& head) -> RowMatrix {
       return head.P.array() * ((head.scale * head.dP).colwise() - head.D).array();
     }},
    {"dp_from_k", "dP = dO K^T gives: dP = dO V^T.", "ds",
     [](const Head& head) -> RowMatrix {
       const RowMatrix dp = head.dO * head.K.transpose();
       return head.P.array() * (dp.colwise() - head.D).array();
     }},
    {"uses_p", "P gives in place of dS.", "ds",
     [](const Head& head) -> RowMatrix { return head.P; }},
};

RowMatrix with_rows(const RowMatrix& weights, Eigen::Index first, Eigen::Index count) {
  RowMatrix result = RowMatrix::Zero(weights.rows(), weights.cols());
  result.middleRows(first, count) = weights.middleRows(first, count);
  return result;
}

RowMatrix with_columns(const RowMatrix& weights, Eigen::Index first, Eigen::Index count) {
  RowMatrix result = RowMatrix::Zero(weights.rows(), weights.cols());
  result.middleCols(first, count) = weights.middleCols(first, count);
  return result;
}

/// The product that makes a gradient from its weights, P for dV and dS for the others.
RowMatrix product(const std::string& gradient, const Head& head, const RowMatrix& weights) {
  if (gradient == "dV") return weights.transpose() * head.dO;
  if (gradient == "dK") return head.scale * (weights.transpose() * head.Q);
  return head.scale * (weights * head.K);
}

RowMatrix right_weights(const std::string& gradient, const Head& head) {
  return gradient == "dV" ? head.P : head.score_gradient();
}

/// Collects hypotheses about one gradient.
class List {
 public:
  explicit List(const GradientEvidence& evidence)
      : name_(evidence.name), shape_(evidence.shape), tiles_(evidence.lab.diagnosis.tiles) {}

  std::vector<GradientHypothesis> all() {
    add_products();
    if (name_ != "dV") {
      add(kScoreGradients);
      add_from_wrong_probabilities();
    } else {
      add(kProbabilities);
    }
    add_tiles();
    return std::move(list_);
  }

 private:
  using Gradient = RowMatrix (*)(const Head&);

  void add(const char* cause, const std::string& text, const char* topic,
           std::function<RowMatrix(const Head&)> gradient) {
    list_.push_back({cause, name_ + " is " + text, topic, std::move(gradient)});
  }

  template <size_t n>
  void add(const Variant (&variants)[n]) {
    for (const Variant& variant : variants) {
      add(variant.cause, std::string("what ") + variant.text, variant.topic,
          [name = name_, weights = variant.weights](const Head& head) {
            return product(name, head, weights(head));
          });
    }
  }

  /// dS from a wrong P, in a kernel of its own: P may be right where dV is computed.
  void add_from_wrong_probabilities() {
    for (const Variant& variant : kProbabilities) {
      add(variant.cause, std::string("what ") + variant.text, variant.topic,
          [name = name_, weights = variant.weights](const Head& head) {
            const RowMatrix ds = weights(head).array() * (head.dP.colwise() - head.D).array();
            return product(name, head, ds);
          });
    }
  }

  /// The right weights in a wrong product. A shape that does not fit is no hypothesis.
  void add_products() {
    const bool is_square = shape_.seq_q == shape_.seq_k;
    const auto swapped = [&](const char* other, const char* topic, Gradient gradient) {
      list_.push_back({"swapped",
                       format("%s holds %s: the parameters are dQ, dK, dV in this order.",
                              name_.c_str(), other),
                       topic, gradient});
    };
    const Gradient dq = [](const Head& head) -> RowMatrix {
      return product("dQ", head, head.score_gradient());
    };
    const Gradient dk = [](const Head& head) -> RowMatrix {
      return product("dK", head, head.score_gradient());
    };
    const Gradient dv = [](const Head& head) -> RowMatrix { return product("dV", head, head.P); };
    if (name_ == "dV") {
      swapped("dK", "dv", dk);
      if (is_square) swapped("dQ", "dv", dq);
      add("wrong_factor", "what P^T O gives: dV = P^T dO.", "dv",
          [](const Head& head) -> RowMatrix { return head.P.transpose() * head.O; });
      add("wrong_factor", "what dS^T dO gives: dV = P^T dO.", "dv",
          [](const Head& head) -> RowMatrix {
            return head.score_gradient().transpose() * head.dO;
          });
      if (is_square) {
        add("not_transposed", "what P dO gives: dV = P^T dO, a sum over queries.", "dv",
            [](const Head& head) -> RowMatrix { return head.P * head.dO; });
      }
      return;
    }
    add_scales();
    if (name_ == "dK") {
      swapped("dV", "dk", dv);
      if (is_square) swapped("dQ", "dk", dq);
      add("wrong_factor", "what scale dS^T dO gives: dK = scale dS^T Q.", "dk",
          [](const Head& head) -> RowMatrix {
            return head.scale * (head.score_gradient().transpose() * head.dO);
          });
      if (!is_square) return;
      add("not_transposed", "what scale dS Q gives: dK = scale dS^T Q, a sum over queries.", "dk",
          [](const Head& head) -> RowMatrix {
            return head.scale * (head.score_gradient() * head.Q);
          });
      add("wrong_factor", "what scale dS^T K gives: dK = scale dS^T Q.", "dk",
          [](const Head& head) -> RowMatrix {
            return head.scale * (head.score_gradient().transpose() * head.K);
          });
      return;
    }
    add("wrong_factor", "what scale dS V gives: dQ = scale dS K.", "dq",
        [](const Head& head) -> RowMatrix {
          return head.scale * (head.score_gradient() * head.V);
        });
    if (!is_square) return;
    swapped("dK", "dq", dk);
    swapped("dV", "dq", dv);
    add("transposed", "what scale dS^T K gives: dQ = scale dS K, a sum over keys.", "dq",
        [](const Head& head) -> RowMatrix {
          return head.scale * (head.score_gradient().transpose() * head.K);
        });
    add("wrong_factor", "what scale dS Q gives: dQ = scale dS K.", "dq",
        [](const Head& head) -> RowMatrix {
          return head.scale * (head.score_gradient() * head.Q);
        });
  }

  void add_scales() {
    const char* const topic = name_ == "dK" ? "dk" : "dq";
    add("missing_scale", "without the scale: dQ = scale dS K and dK = scale dS^T Q.", topic,
        [name = name_](const Head& head) -> RowMatrix {
          return product(name, head, head.score_gradient()) / head.scale;
        });
    add("scale_twice", "scaled twice: the scale belongs to Q K^T in S, and once to dQ and dK.",
        topic, [name = name_](const Head& head) -> RowMatrix {
          return product(name, head, head.score_gradient()) * head.scale;
        });
  }

  /// The loop over tiles: of queries for dK and dV, of keys for dQ.
  void add_tiles() {
    const bool over_keys = name_ == "dQ";
    const int rows = over_keys ? shape_.seq_k : shape_.seq_q;
    const char* const of = over_keys ? "keys" : "queries";
    const char* const topic = name_ == "dV" ? "dv" : over_keys ? "dq" : "dk";
    const auto add_part = [&](const char* cause, const std::string& text, int first, int count) {
      add(cause, text, topic, [=, name = name_](const Head& head) {
        const RowMatrix weights = right_weights(name, head);
        return product(
            name, head,
            over_keys ? with_columns(weights, first, count) : with_rows(weights, first, count));
      });
    };
    for (const int tile : tiles_) {
      if (tile >= rows) continue;
      const int last = (rows - 1) / tile * tile;
      add_part("only_last_tile",
               format("the share of the last tile of %d %s alone: add up over all tiles, and store "
                      "once.",
                      tile, of),
               last, rows - last);
      if (rows % tile != 0) {
        add_part("dropped_tile",
                 format("without the last, partial tile of %d %s: round the number of tiles up.",
                        tile, of),
                 0, rows / tile * tile);
      }
      add_part("only_first_tile", format("the share of the first tile of %d %s alone.", tile, of),
               0, tile);
    }
    if (rows > 1) {
      add_part("dropped_last", format("without the last of the %s.", of), 0, rows - 1);
    }
  }

  std::string name_;
  Shape shape_;
  std::vector<int> tiles_;
  std::vector<GradientHypothesis> list_;
};

}  // namespace

RowMatrix right_gradient(const std::string& gradient, const Head& head) {
  return product(gradient, head, right_weights(gradient, head));
}

std::vector<GradientHypothesis> gradient_hypotheses(const GradientEvidence& evidence) {
  return List(evidence).all();
}

}  // namespace flashlab::judge
