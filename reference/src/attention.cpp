#include "reference/attention.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

#include "reference/softmax.hpp"

namespace flashlab::reference {
namespace {

using Eigen::Index;
using MatrixMap = Eigen::Map<RowMatrix>;

/// Query rows per block: enough for Eigen's products to run at full speed, few enough for S to stay
/// in cache.
constexpr Index kBlockRows = 64;

/// The shape of one tensor of the problem, [batch, heads, rows, cols].
struct TensorShape {
  std::array<int, 4> sizes;

  std::string text() const {
    std::string text;
    for (const int size : sizes) text += (text.empty() ? "[" : ", ") + std::to_string(size);
    return text + "]";
  }
  std::size_t elements() const {
    std::size_t count = 1;
    for (const int size : sizes) {
      if (__builtin_mul_overflow(count, static_cast<std::size_t>(size), &count)) {
        throw std::invalid_argument("attention: " + text() + " has too many elements");
      }
    }
    return count;
  }
  /// Where head `head` of batch `entry` begins.
  std::size_t offset(int entry, int head) const {
    return (static_cast<std::size_t>(entry) * sizes[1] + head) * sizes[2] * sizes[3];
  }
};

struct Tensors {
  TensorShape q, kv, scores, rows;

  explicit Tensors(const AttentionShape& s)
      : q{{s.batch, s.heads_q, s.seq_q, s.head_dim}},
        kv{{s.batch, s.heads_kv, s.seq_k, s.head_dim}},
        scores{{s.batch, s.heads_q, s.seq_q, s.seq_k}},
        rows{{s.batch, s.heads_q, s.seq_q, 1}} {}
};

void check_shape(const AttentionShape& s) {
  const auto at_least_one = [](const char* name, int value) {
    if (value < 1) {
      throw std::invalid_argument("attention: " + std::string(name) + " is " +
                                  std::to_string(value) + ", must be at least 1");
    }
  };
  at_least_one("batch", s.batch);
  at_least_one("heads_q", s.heads_q);
  at_least_one("heads_kv", s.heads_kv);
  at_least_one("seq_q", s.seq_q);
  at_least_one("seq_k", s.seq_k);
  at_least_one("head_dim", s.head_dim);
  if (s.heads_q % s.heads_kv != 0) {
    throw std::invalid_argument("attention: heads_q = " + std::to_string(s.heads_q) +
                                " is not a multiple of heads_kv = " + std::to_string(s.heads_kv));
  }
  if (!std::isfinite(s.scale)) throw std::invalid_argument("attention: scale is not finite");
}

template <class T>
void check_tensor(const char* name, std::span<const T> data, const TensorShape& shape) {
  if (data.size() != shape.elements()) {
    throw std::invalid_argument("attention: " + std::string(name) + " has " +
                                std::to_string(data.size()) + " elements, but its shape " +
                                shape.text() + " needs " + std::to_string(shape.elements()));
  }
  const auto bad = std::find_if(data.begin(), data.end(), [](T x) { return !std::isfinite(x); });
  if (bad != data.end()) {
    throw std::invalid_argument("attention: " + std::string(name) + "[" +
                                std::to_string(bad - data.begin()) + "] is " +
                                std::to_string(*bad) + ", inputs must be finite");
  }
}

/// Keys that query i sees: the first `count` of seq_k.
Index visible_keys(const AttentionShape& s, Index i) {
  if (!s.causal) return s.seq_k;
  return std::clamp<Index>(i + s.seq_k - s.seq_q + 1, 0, s.seq_k);
}

/// One head [seq, head_dim] of a tensor, in float64.
template <class T>
RowMatrix load_head(std::span<const T> tensor, std::size_t offset, Index rows, Index cols) {
  using Source = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Source>(tensor.data() + offset, rows, cols).template cast<double>();
}

/// Masks the scores of query rows first, first + 1, ... with -inf and returns max |S| of what stays
/// visible.
double mask_block(const AttentionShape& shape, Index first, Eigen::Ref<RowMatrix> scores) {
  double max_abs = 0.0;
  for (Index r = 0; r < scores.rows(); ++r) {
    const Index visible = std::min(visible_keys(shape, first + r), scores.cols());
    auto row = scores.row(r);
    row.tail(scores.cols() - visible).setConstant(-std::numeric_limits<double>::infinity());
    if (visible == 0) continue;
    const double row_max = row.head(visible).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
    if (!std::isfinite(row_max)) {
      throw std::invalid_argument("attention: a score of query row " + std::to_string(first + r) +
                                  " overflows float64, use smaller inputs or scale");
    }
    max_abs = std::max(max_abs, row_max);
  }
  return max_abs;
}

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
