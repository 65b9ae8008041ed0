// Online softmax in float64: attention for one query, its keys and values seen block by block.
#pragma once

#include <Eigen/Core>
#include <limits>

#include "reference/softmax.hpp"

namespace flashlab::reference {

/// The state (m, l, o) of one query after the keys seen so far:
///   m = max_j s_j,   l = sum_j exp(s_j - m),   o = sum_j exp(s_j - m) v_j   (not yet divided by
///   l).
///
/// States form a commutative monoid under `merge`, with `OnlineSoftmax(head_dim)` as the identity:
/// keys may be split and regrouped in any way. That is what lets FlashAttention work in tiles.
///
/// Sources: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax", section 3 (m,
/// l and the merge); Dao et al. 2022, "FlashAttention", section 3.1 and Algorithm 1 (o carried
/// along); Dao 2023, "FlashAttention-2", section 3.1.1 (o left undivided until the end, as here).
struct OnlineSoftmax {
  double m = -std::numeric_limits<double>::infinity();
  double l = 0.0;
  Eigen::VectorXd o;  ///< [head_dim]

  /// The identity: no key seen yet. Throws std::invalid_argument unless head_dim >= 1.
  explicit OnlineSoftmax(Eigen::Index head_dim);
  OnlineSoftmax(double max, double sum, Eigen::VectorXd output);

  /// Takes in one more block of keys: their scaled `scores` [n] and `values` [n, head_dim], n >= 0.
  /// A score of -inf is a masked key. Values must be finite also there: 0 times NaN is NaN.
  /// A score of NaN or +inf makes l, and with it the output, NaN for good.
  /// Throws std::invalid_argument when the shapes do not fit.
  void update(const Eigen::Ref<const Eigen::VectorXd>& scores,
              const Eigen::Ref<const RowMatrix>& values);

  /// The attention output o / l [head_dim]; zeros when every key was masked or none was seen.
  Eigen::VectorXd output() const;

  /// L = m + ln l; -inf when every key was masked or none was seen.
  double log_sum_exp() const;
};

/// The state after the keys of `a` and of `b`.
/// Throws std::invalid_argument when their head_dim differ.
OnlineSoftmax merge(const OnlineSoftmax& a, const OnlineSoftmax& b);

}  // namespace flashlab::reference
