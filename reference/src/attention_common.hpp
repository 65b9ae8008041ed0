// What forward and backward share: checks of a problem, where its heads lie, the mask.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include "reference/attention.hpp"
#include "reference/softmax.hpp"

namespace flashlab::reference {

using Eigen::Index;
/// Query rows per block: enough for Eigen's products to run at full speed, few enough for S to stay
/// in cache.
inline constexpr Index kBlockRows = 64;

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

inline void check_shape(const AttentionShape& s) {
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
inline Index visible_keys(const AttentionShape& s, Index i) {
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
inline double mask_block(const AttentionShape& shape, Index first, Eigen::Ref<RowMatrix> scores) {
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

}  // namespace flashlab::reference
