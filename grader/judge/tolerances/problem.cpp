#include "tolerances/problem.hpp"

#include <algorithm>

namespace flashlab::judge::tolerances {

std::vector<Arithmetic> honest_ways() {
  return {
      {.name = "ascending"},
      {.name = "ascending, fused", .fused = true},
      {.name = "descending", .order = Order::kDescending},
      {.name = "tree", .order = Order::kPairwise},
      {.name = "shuffled, fused", .order = Order::kShuffled, .fused = true},
      {.name = "one by one, fused", .fused = true, .tile = 1},
      {.name = "tiles of 16", .tile = 16},
      {.name = "tiles of 32, divided each", .tile = 32, .divide_each = true},
      {.name = "tiles of 64, base 2, scaled first, fused",
       .fused = true,
       .tile = 64,
       .base_two = true,
       .scale_first = true},
      {.name = "tiles of 128, trees", .order = Order::kPairwise, .tile = 128},
      {.name = "four splits, tiles of 32, shuffled",
       .order = Order::kShuffled,
       .tile = 32,
       .splits = 4},
  };
}

Matrix matrix_of(std::span<const float> tensor, size_t slice, int rows, int columns,
                 Format format) {
  const size_t elements = static_cast<size_t>(rows) * columns;
  Matrix matrix = Eigen::Map<const Matrix>(tensor.data() + slice * elements, rows, columns);
  round_all(matrix, format);
  return matrix;
}

Row scores_of(Row q, const Matrix& keys, float scale, const Arithmetic& how) {
  if (how.scale_first) q *= scale;
  round_all(q, how.factors);
  Row scores = Row::Zero(keys.cols());
  add_weighted(scores, q, keys, how);
  if (!how.scale_first) scores *= scale;
  round_all(scores, how.results);
  return scores;
}

int visible_keys(const Shape& shape, int i) {
  return shape.causal ? std::clamp(i + 1 + shape.seq_k - shape.seq_q, 0, shape.seq_k) : shape.seq_k;
}

}  // namespace flashlab::judge::tolerances
