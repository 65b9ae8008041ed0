// Attention backward in many arithmetics: P and dS are recomputed, for some queries or some keys.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tolerances/problem.hpp"

namespace flashlab::judge::tolerances {
namespace {

using Eigen::Index;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// What a kernel gets of one batch and head, its tensors rounded to what goes into products.
struct Head {
  Matrix Q, K, V, O, dO;
  std::vector<float> L;
};

Head head_of(const Shape& shape, const BackwardStandard& standard, size_t slice, Format format) {
  const int n = shape.seq_q, keys = shape.seq_k, d = shape.head_dim;
  const std::vector<double>&O = standard.forward.O, &L = standard.forward.L;
  const std::vector<float> rounded_o(O.begin(), O.end());
  const auto first_l = L.begin() + static_cast<std::ptrdiff_t>(slice * n);
  return {matrix_of(standard.inputs.Q, slice, n, d, format),
          matrix_of(standard.inputs.K, slice, keys, d, format),
          matrix_of(standard.inputs.V, slice, keys, d, format),
          matrix_of(rounded_o, slice, n, d, format),
          matrix_of(standard.dO, slice, n, d, format),
          {first_l, first_l + n}};
}

/// P and dS of some queries and some keys: rows [queries, keys].
struct Block {
  Matrix P, dS;
};

Block block_of(const Shape& shape, const Head& head, Index query_stride, Index key_stride,
               const Arithmetic& how) {
  const auto some = [](Index count, Index stride) {
    return Eigen::seqN(0, (count + stride - 1) / stride, stride);
  };
  const auto keys = some(shape.seq_k, key_stride);
  const Matrix K = head.K(keys, Eigen::all).eval().transpose();
  const Matrix V = head.V(keys, Eigen::all).eval().transpose();
  const Index rows = some(shape.seq_q, query_stride).size();
  Block block = {Matrix::Zero(rows, keys.size()), Matrix::Zero(rows, keys.size())};
  for (Index r = 0; r < rows; ++r) {
    const Index i = r * query_stride;
    const int seen = visible_keys(shape, static_cast<int>(i));
    if (seen == 0) continue;
    const Index count = some(seen, key_stride).size();
    const Row dO = head.dO.row(i);
    Row D = Row::Zero(1), dP = Row::Zero(keys.size());
    add_weighted(D, dO, head.O.row(i).transpose(), how);
    add_weighted(dP, dO, V, how);
    const Row scores = scores_of(head.Q.row(i), K, shape.scale, how);
    const Row P = exponentials(scores, head.L[static_cast<size_t>(i)], how);
    Row dS = P * (dP - D[0]);
    round_all(dS, how.results);
    block.P.row(r).head(count) = P.head(count);
    block.dS.row(r).head(count) = dS.head(count);
  }
  round_all(block.P, how.factors);
  round_all(block.dS, how.factors);
  return block;
}

/// weights * rows; a tile's terms are summed up first, and the tiles then in the order of `how`, as
/// atomic additions do it.
Row sum_of(const Row& weights, const Matrix& rows, const Arithmetic& how) {
  Row sum = Row::Zero(rows.cols());
  if (how.tile == 0) {
    add_weighted(sum, weights, rows, how);
    return sum;
  }
  const int n = static_cast<int>(weights.size());
  for (const int tile : term_order((n + how.tile - 1) / how.tile, how.order)) {
    const int first = tile * how.tile, count = std::min(how.tile, n - first);
    Row part = Row::Zero(rows.cols());
    add_weighted(part, weights.segment(first, count), rows.middleRows(first, count), how);
    sum += part;
  }
  return sum;
}

void put(std::vector<double>& result, size_t row, const Row& values) {
  std::ranges::copy(values, result.begin() + static_cast<std::ptrdiff_t>(row * values.size()));
}

Results compute(const Shape& shape, const BackwardStandard& standard, const Arithmetic& how,
                size_t stride) {
  const Index step = static_cast<Index>(stride);
  Results results = {std::vector<double>(shape.q_elements(), kNan),
                     std::vector<double>(shape.k_elements(), kNan),
                     std::vector<double>(shape.k_elements(), kNan)};
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    const Head head = head_of(shape, standard, slice, how.factors);
    const auto scaled = [&](Row sum) {
      sum *= shape.scale;
      round_all(sum, how.results);
      return sum;
    };
    const Block of_queries = block_of(shape, head, step, 1, how);
    for (Index r = 0; r < of_queries.dS.rows(); ++r) {
      put(results[0], slice * shape.seq_q + r * stride,
          scaled(sum_of(of_queries.dS.row(r), head.K, how)));
    }
    const Block of_keys = stride == 1 ? of_queries : block_of(shape, head, 1, step, how);
    for (Index r = 0; r < of_keys.P.cols(); ++r) {
      const size_t row = slice * shape.seq_k + r * stride;
      put(results[1], row, scaled(sum_of(of_keys.dS.col(r), head.Q, how)));
      put(results[2], row, sum_of(of_keys.P.col(r), head.dO, how));
    }
  }
  return results;
}

/// O is the mean of V: nothing flows to Q and K, and every key gets the same share of dO.
Results gradients_of_mean(const Shape& shape, const BackwardStandard& standard) {
  Results results = {std::vector<double>(shape.q_elements()),
                     std::vector<double>(shape.k_elements()),
                     std::vector<double>(shape.k_elements())};
  const size_t n = shape.seq_q, keys = shape.seq_k, d = shape.head_dim;
  for (size_t row = 0; row < shape.rows(); ++row) {
    const size_t slice = row / n;
    const int seen = visible_keys(shape, static_cast<int>(row % n));
    for (size_t at = 0; at < seen * d; ++at) {
      results[2][slice * keys * d + at] +=
          static_cast<double>(standard.dO[row * d + at % d]) / seen;
    }
  }
  return results;
}

}  // namespace

Problem backward_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed) {
  const Shape shape = spec.shape;
  const BackwardStandard standard = make_backward_standard(spec, seed);
  const size_t d = shape.head_dim;
  const auto bound = [&](const char* name) {
    return gradient_bound(lab.tolerance, shape, standard, name);
  };
  Problem problem;
  problem.outputs = {
      {"dQ", standard.gradients.dQ, d, static_cast<size_t>(shape.seq_q), bound("dQ")},
      {"dK", standard.gradients.dK, d, static_cast<size_t>(shape.seq_k), bound("dK")},
      {"dV", standard.gradients.dV, d, static_cast<size_t>(shape.seq_k), bound("dV")}};
  problem.right = honest_ways();
  problem.compute = [shape, standard](const Arithmetic& how, size_t stride) {
    return compute(shape, standard, how, stride);
  };
  problem.uniform = [shape, standard] { return gradients_of_mean(shape, standard); };
  return problem;
}

}  // namespace flashlab::judge::tolerances
