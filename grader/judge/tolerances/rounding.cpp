#include "tolerances/rounding.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <random>

namespace flashlab::judge::tolerances {

float rounded(float value, Format format) {
  switch (format) {
    case Format::kFloat16:
      return static_cast<float>(Eigen::half(value));
    case Format::kBfloat16:
      return static_cast<float>(Eigen::bfloat16(value));
    case Format::kTf32: {  // float32 with 10 of 23 bits of the fraction, to nearest, ties away
      if (!std::isfinite(value)) return value;
      constexpr uint32_t kLost = (1u << 13) - 1;
      return std::bit_cast<float>((std::bit_cast<uint32_t>(value) + (kLost / 2 + 1)) & ~kLost);
    }
    case Format::kFloat32:
      break;
  }
  return value;
}

Row exponentials(const Row& values, float shift, const Arithmetic& how) {
  constexpr float kLog2E = std::numbers::log2e_v<float>;
  Row result(values.size());
  for (Eigen::Index j = 0; j < values.size(); ++j) {
    result[j] = how.base_two ? std::exp2(values[j] * kLog2E - shift * kLog2E)
                             : std::exp(rounded(values[j] - shift, how.results));
  }
  round_all(result, how.results);
  return result;
}

std::vector<int> term_order(int count, Order order) {
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  if (order == Order::kDescending) std::ranges::reverse(numbers);
  if (order == Order::kShuffled) std::ranges::shuffle(numbers, std::mt19937(1));
  return numbers;
}

namespace {

void add_pairwise(Row& sum, const Row& weights, const Eigen::Ref<const Matrix>& rows,
                  Format results) {
  Matrix products = rows.colwise() * weights.transpose();
  round_all(products, results);
  for (Eigen::Index n = products.rows(); n > 1;) {
    const Eigen::Index half = (n + 1) / 2;
    products.topRows(n - half) += products.middleRows(half, n - half);
    n = half;
    round_all(products.topRows(n), results);
  }
  sum += products.row(0);
  round_all(sum, results);
}

}  // namespace

void add_weighted(Row& sum, const Row& weights, const Eigen::Ref<const Matrix>& rows,
                  const Arithmetic& how) {
  if (how.order == Order::kPairwise) return add_pairwise(sum, weights, rows, how.results);
  Row product(sum.size());
  for (const int j : term_order(static_cast<int>(weights.size()), how.order)) {
    if (how.fused) {
      // The product of two floats is exact in float64.
      sum = (sum.cast<double>() + static_cast<double>(weights[j]) * rows.row(j).cast<double>())
                .cast<float>();
      round_all(sum, how.results);
      continue;
    }
    product = weights[j] * rows.row(j);
    round_all(product, how.results);
    sum += product;
    round_all(sum, how.results);
  }
}

}  // namespace flashlab::judge::tolerances
