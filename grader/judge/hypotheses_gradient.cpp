// What wrong formulas of the backward pass would give for dQ, dK and dV. A gradient is a product of
// a weight per pair of query and key (P, dS; gradient_weights.cpp) with rows (dO, Q, K): either can
// be wrong.
#include "gradient_weights.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::RowMatrix;
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
    add_weights();
    add_tiles();
    return std::move(list_);
  }

 private:
  using Gradient = RowMatrix (*)(const Head&);

  void add(const char* cause, const std::string& text, const char* topic,
           std::function<RowMatrix(const Head&)> gradient) {
    list_.push_back({cause, name_ + " is " + text, topic, std::move(gradient)});
  }

  /// Wrong weights in the right product. P may be wrong in one kernel and right in the other.
  void add_weights() {
    const auto add_weight = [&](const WeightVariant& variant,
                                std::function<RowMatrix(const Head&)> weights) {
      add(variant.cause, "what " + variant.text, variant.topic,
          [name = name_, weights = std::move(weights)](const Head& head) {
            return product(name, head, weights(head));
          });
    };
    const bool is_dv = name_ == "dV";
    if (!is_dv) {
      for (const WeightVariant& variant : wrong_score_gradients()) {
        add_weight(variant, variant.weights);
      }
    }
    for (const WeightVariant& variant : wrong_probabilities(shape_, tiles_)) {
      add_weight(variant, [is_dv, weights = variant.weights](const Head& head) -> RowMatrix {
        if (is_dv) return weights(head);
        return weights(head).array() * (head.dP.colwise() - head.D).array();
      });
    }
    for (const int tile : tiles_) {
      add("tile_transposed",
          format("what tiles of %d x %d weights give that are read transposed: %s", tile, tile,
                 name_ == "dQ" ? "dQ[i] sums dS[i][j] K[j] over keys j."
                 : is_dv       ? "dV[j] sums P[i][j] dO[i] over queries i."
                               : "dK[j] sums dS[i][j] Q[i] over queries i."),
          name_ == "dQ" ? "dq" : "dk", [name = name_, tile](const Head& head) {
            return product(name, head, transposed_by_tile(right_weights(name, head), tile));
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
