// Wrong P and dS.
#include "gradient_weights.hpp"

#include <cmath>

#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::RowMatrix;

/// P from a formula of the score without a mask, of L and of the row's largest score, where the
/// mask `sees` the pair.
template <class Sees, class Formula>
RowMatrix probabilities(const Head& head, Sees sees, Formula formula) {
  RowMatrix result = RowMatrix::Zero(head.raw.rows(), head.raw.cols());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    if (!std::isfinite(head.L(i))) continue;
    const double m = head.S.row(i).maxCoeff();
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
      if (sees(i, j)) result(i, j) = formula(head.raw(i, j), head.L(i), m);
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
  return probabilities(head, sees, [](double s, double l, double) { return std::exp(s - l); });
}

constexpr double kLog2e = 1.4426950408889634;

const WeightVariant kProbabilities[] = {
    {"lse_missing", "P = exp(S) gives: L is missing, P = exp(S - L).", "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double, double) { return std::exp(s); });
     }},
    {"lse_base",
     "P = 2^(S - L) gives: L is a natural logarithm. Use expf, or multiply both S and L by "
     "log2(e).",
     "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double l, double) { return std::exp2(s - l); });
     }},
    {"lse_base",
     "P = 2^(S log2(e) - L) gives: multiply L by log2(e) too, it is a natural logarithm.",
     "recompute",
     [](const Head& head) {
       return recomputed(head,
                         [](double s, double l, double) { return std::exp2(s * kLog2e - l); });
     }},
    {"lse_divided",
     "P = exp(S) / L gives: L is the logarithm of the sum, not the sum. P = exp(S - L).",
     "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double l, double) { return std::exp(s) / l; });
     }},
    {"scale_missing_in_s", "P = exp(Q K^T - L) gives: the scale is missing in S.", "recompute",
     [](const Head& head) {
       const double scale = head.scale;
       return recomputed(head,
                         [scale](double s, double l, double) { return std::exp(s / scale - l); });
     }},
    {"lse_is_max",
     "P = exp(S - max S) gives: the sum is missing, P is not normalised. L holds it: P = exp(S - "
     "L).",
     "recompute",
     [](const Head& head) {
       return recomputed(head, [](double s, double, double m) { return std::exp(s - m); });
     }},
    {"scale_not_the_argument",
     "the scale 1/sqrt(d) gives, but this case asks for another scale: use shape.scale.",
     "recompute",
     [](const Head& head) {
       const double ratio = 1 / std::sqrt(static_cast<double>(head.Q.cols())) / head.scale;
       return recomputed(head,
                         [ratio](double s, double l, double) { return std::exp(ratio * s - l); });
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
    {"mask_off_by_one",
     "the mask j <= i + Nk - Nq + 1 gives: each query sees one key too many. It is j <= i + Nk - "
     "Nq.",
     "mask",
     [](const Head& head) {
       const Eigen::Index offset = head.raw.cols() - head.raw.rows();
       return masked(head,
                     [offset](Eigen::Index i, Eigen::Index j) { return j <= i + offset + 1; });
     }},
};

/// dS with another D.
RowMatrix with_d(const Head& head, const Eigen::VectorXd& D) {
  return head.P.array() * (head.dP.colwise() - D).array();
}

const WeightVariant kScoreGradients[] = {
    {"missing_d", "dS = P o dP gives: D is missing, dS = P o (dP - D) with D = rowsum(dO o O).",
     "ds", [](const Head& head) -> RowMatrix { return head.P.cwiseProduct(head.dP); }},
    {"wrong_d", "D = rowsum(dO o dO) gives: D needs O too, D = rowsum(dO o O).", "ds",
     [](const Head& head) { return with_d(head, head.dO.rowwise().squaredNorm()); }},
    {"wrong_d", "D = rowsum(dO) gives: D needs O too, D = rowsum(dO o O).", "ds",
     [](const Head& head) { return with_d(head, head.dO.rowwise().sum()); }},
    {"wrong_d", "D = rowsum(O o O) gives: D needs dO too, D = rowsum(dO o O).", "ds",
     [](const Head& head) { return with_d(head, head.O.rowwise().squaredNorm()); }},
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

}  // namespace

std::vector<WeightVariant> wrong_probabilities(const Shape& shape, const std::vector<int>& tiles) {
  std::vector<WeightVariant> list(std::begin(kProbabilities), std::end(kProbabilities));
  if (!shape.causal) return list;
  const int offset = shape.seq_k - shape.seq_q;
  for (const int tile : tiles) {
    list.push_back(
        {"mask_by_tile",
         format("the mask gives when it hides whole tiles of %d x %d only: in the tiles that the "
                "diagonal crosses P is 0 for a key j > i + Nk - Nq.",
                tile, tile),
         "mask", [offset, tile](const Head& head) {
           return masked(head, [offset, tile](Eigen::Index i, Eigen::Index j) {
             const Eigen::Index last_query = i / tile * tile + tile - 1;
             return j / tile * tile <= last_query + offset;
           });
         }});
  }
  return list;
}

std::vector<WeightVariant> wrong_score_gradients() {
  return {std::begin(kScoreGradients), std::end(kScoreGradients)};
}

RowMatrix transposed_by_tile(const RowMatrix& weights, int tile) {
  // Partial tiles are padded with zeros, as kernels pad them.
  const auto padded = [tile](Eigen::Index n) { return (n + tile - 1) / tile * tile; };
  RowMatrix all = RowMatrix::Zero(padded(weights.rows()), padded(weights.cols()));
  all.topLeftCorner(weights.rows(), weights.cols()) = weights;
  for (Eigen::Index i = 0; i < all.rows(); i += tile) {
    for (Eigen::Index j = 0; j < all.cols(); j += tile) {
      all.block(i, j, tile, tile).transposeInPlace();
    }
  }
  return all.topLeftCorner(weights.rows(), weights.cols());
}

}  // namespace flashlab::judge
