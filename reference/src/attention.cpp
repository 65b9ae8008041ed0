#include "reference/attention.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "attention_common.hpp"
#include "reference/softmax.hpp"

namespace flashlab::reference {
namespace {

using Eigen::Index;
using MatrixMap = Eigen::Map<RowMatrix>;

template <class T>
AttentionResult forward(const AttentionShape& shape, std::span<const T> Q, std::span<const T> K,
                        std::span<const T> V, Keep keep) {
  check_shape(shape);
  const Tensors tensors(shape);
  check_tensor("Q", Q, tensors.q);
  check_tensor("K", K, tensors.kv);
  check_tensor("V", V, tensors.kv);

  const bool keep_scores = keep == Keep::kScoresAndProbabilities;
  AttentionResult result;
  result.O.resize(tensors.q.elements());
  result.L.resize(tensors.rows.elements());
  result.row_max.resize(tensors.rows.elements());
  if (keep_scores) {
    result.S.resize(tensors.scores.elements());
    result.P.resize(tensors.scores.elements());
  }
  for (const T v : V) result.max_abs_value = std::max<double>(result.max_abs_value, std::abs(v));

  const Index group = shape.heads_q / shape.heads_kv;
  for (int b = 0; b < shape.batch; ++b) {
    for (int h = 0; h < shape.heads_q; ++h) {
      const std::size_t kv = tensors.kv.offset(b, static_cast<int>(h / group));
      const RowMatrix q =
          load_head(Q, tensors.q.offset(b, h), shape.seq_q, shape.head_dim) * shape.scale;
      const RowMatrix k = load_head(K, kv, shape.seq_k, shape.head_dim);
      const RowMatrix v = load_head(V, kv, shape.seq_k, shape.head_dim);
      MatrixMap o(result.O.data() + tensors.q.offset(b, h), shape.seq_q, shape.head_dim);
      const std::size_t first_row = tensors.rows.offset(b, h);
      Eigen::Map<Eigen::VectorXd> lse(result.L.data() + first_row, shape.seq_q);
      Eigen::Map<Eigen::VectorXd> row_max(result.row_max.data() + first_row, shape.seq_q);

      for (Index first = 0; first < shape.seq_q; first += kBlockRows) {
        const Index rows = std::min<Index>(kBlockRows, shape.seq_q - first);
        // The last row sees the most keys; what no row of the block sees need not be computed.
        const Index cols = keep_scores ? shape.seq_k : visible_keys(shape, first + rows - 1);
        RowMatrix s = q.middleRows(first, rows) * k.topRows(cols).transpose();
        result.max_abs_score = std::max(result.max_abs_score, mask_block(shape, first, s));
        const auto keep_block = [&](std::vector<double>& kept) {
          if (!keep_scores) return;
          MatrixMap(kept.data() + tensors.scores.offset(b, h), shape.seq_q, shape.seq_k)
              .middleRows(first, rows) = s;
        };
        keep_block(result.S);
        const SoftmaxStats stats = softmax_rows(s);
        keep_block(result.P);
        o.middleRows(first, rows) = s * v.topRows(cols);
        lse.segment(first, rows) = stats.log_sum_exp;
        row_max.segment(first, rows) = stats.row_max;
      }
    }
  }
  return result;
}

}  // namespace

AttentionResult attention_forward(const AttentionShape& shape, std::span<const float> Q,
                                  std::span<const float> K, std::span<const float> V, Keep keep) {
  return forward(shape, Q, K, V, keep);
}

AttentionResult attention_forward(const AttentionShape& shape, std::span<const double> Q,
                                  std::span<const double> K, std::span<const double> V, Keep keep) {
  return forward(shape, Q, K, V, keep);
}

}  // namespace flashlab::reference
