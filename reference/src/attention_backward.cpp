#include "reference/attention_backward.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>

#include "attention_common.hpp"

namespace flashlab::reference {
namespace {

using Eigen::Index;
using MatrixMap = Eigen::Map<RowMatrix>;

/// max |dP| over what the rows first, first + 1, ... see.
double max_visible(const AttentionShape& shape, Index first, const RowMatrix& dP) {
  double max_abs = 0.0;
  for (Index r = 0; r < dP.rows(); ++r) {
    const Index visible = std::min(visible_keys(shape, first + r), dP.cols());
    if (visible == 0) continue;
    max_abs = std::max(max_abs, dP.row(r).head(visible).cwiseAbs().maxCoeff());
  }
  return max_abs;
}

template <class T>
AttentionGradients backward(const AttentionShape& shape, std::span<const T> Q, std::span<const T> K,
                            std::span<const T> V, std::span<const T> dO) {
  check_shape(shape);
  const Tensors tensors(shape);
  check_tensor("Q", Q, tensors.q);
  check_tensor("K", K, tensors.kv);
  check_tensor("V", V, tensors.kv);
  check_tensor("dO", dO, tensors.q);

  AttentionGradients result;
  result.dQ.resize(tensors.q.elements());
  result.dK.resize(tensors.kv.elements());
  result.dV.resize(tensors.kv.elements());
  result.D.resize(tensors.rows.elements());

  const Index group = shape.heads_q / shape.heads_kv;
  for (int b = 0; b < shape.batch; ++b) {
    for (int h = 0; h < shape.heads_q; ++h) {
      const std::size_t head = tensors.q.offset(b, h);
      const std::size_t kv = tensors.kv.offset(b, static_cast<int>(h / group));
      const RowMatrix q = load_head(Q, head, shape.seq_q, shape.head_dim) * shape.scale;
      const RowMatrix k = load_head(K, kv, shape.seq_k, shape.head_dim);
      const RowMatrix v = load_head(V, kv, shape.seq_k, shape.head_dim);
      const RowMatrix d_o = load_head(dO, head, shape.seq_q, shape.head_dim);
      MatrixMap dq(result.dQ.data() + head, shape.seq_q, shape.head_dim);
      MatrixMap dk(result.dK.data() + kv, shape.seq_k, shape.head_dim);
      MatrixMap dv(result.dV.data() + kv, shape.seq_k, shape.head_dim);
      Eigen::Map<Eigen::VectorXd> D(result.D.data() + tensors.rows.offset(b, h), shape.seq_q);

      for (Index first = 0; first < shape.seq_q; first += kBlockRows) {
        const Index rows = std::min<Index>(kBlockRows, shape.seq_q - first);
        const Index cols = visible_keys(shape, first + rows - 1);
        const auto q_block = q.middleRows(first, rows);
        const auto dO_block = d_o.middleRows(first, rows);
        RowMatrix p = q_block * k.topRows(cols).transpose();
        mask_block(shape, first, p);
        softmax_rows(p);
        const RowMatrix dP = dO_block * v.topRows(cols).transpose();
        result.max_abs_dp = std::max(result.max_abs_dp, max_visible(shape, first, dP));
        const Eigen::VectorXd sums = p.cwiseProduct(dP).rowwise().sum();
        const RowMatrix dS = p.cwiseProduct(dP.colwise() - sums);
        D.segment(first, rows) = sums;
        dq.middleRows(first, rows) = shape.scale * dS * k.topRows(cols);
        dk.topRows(cols) += dS.transpose() * q_block;  // q holds the factor scale
        dv.topRows(cols) += p.transpose() * dO_block;
      }
    }
  }
  return result;
}

}  // namespace

AttentionGradients attention_backward(const AttentionShape& shape, std::span<const float> Q,
                                      std::span<const float> K, std::span<const float> V,
                                      std::span<const float> dO) {
  return backward(shape, Q, K, V, dO);
}

AttentionGradients attention_backward(const AttentionShape& shape, std::span<const double> Q,
                                      std::span<const double> K, std::span<const double> V,
                                      std::span<const double> dO) {
  return backward(shape, Q, K, V, dO);
}

}  // namespace flashlab::reference
