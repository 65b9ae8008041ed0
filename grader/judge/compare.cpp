#include "compare.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

#include "text.hpp"
#include "worker/protocol.hpp"

namespace flashlab::judge {

ErrorBound error_bound(const Tolerance& tolerance, double max_abs_score, double max_abs_value) {
  constexpr double kEps32 = std::numeric_limits<float>::epsilon();
  return {
      std::max(tolerance.absolute, tolerance.eps_factor * kEps32 * max_abs_score * max_abs_value),
      tolerance.relative};
}

bool is_poison(float value) {
  return std::bit_cast<uint32_t>(value) == protocol::kPoison;
}

Comparison compare(std::span<const float> got, std::span<const double> expected, ErrorBound bound) {
  if (got.size() != expected.size()) throw std::invalid_argument("compare: sizes differ");
  Comparison result;
  result.total = expected.size();
  result.bound = bound;
  result.is_wrong.resize(expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - expected[i]);
    if (std::isfinite(got[i]) && std::isfinite(expected[i])) {
      result.max_abs_error = std::max(result.max_abs_error, error);
      if (expected[i] != 0) {
        result.max_rel_error = std::max(result.max_rel_error, error / std::abs(expected[i]));
      }
    } else if (!std::isfinite(got[i]) && got[i] != expected[i]) {
      ++result.not_finite;
      result.unwritten += is_poison(got[i]);
    }
    if (bound.holds(got[i], expected[i])) continue;  // false for NaN
    ++result.wrong;
    result.is_wrong[i] = true;
    if (result.first.size() < kShownMismatches) result.first.push_back({i, expected[i], got[i]});
  }
  return result;
}

std::array<size_t, 4> position(size_t index, const Shape& shape, size_t columns) {
  const size_t row = index / columns, slice = row / shape.seq_q;
  return {slice / shape.heads, slice % shape.heads, row % shape.seq_q, index % columns};
}

std::string describe_position(std::string_view tensor, size_t index, const Shape& shape,
                              size_t columns, char column_name) {
  const auto [b, h, i, c] = position(index, shape, columns);
  return format("%.*s[b=%zu, h=%zu, i=%zu, %c=%zu]", static_cast<int>(tensor.size()), tensor.data(),
                b, h, i, column_name, c);
}

std::string describe_mismatches(const Comparison& comparison, const std::string& tensor,
                                const std::function<std::string(size_t)>& where) {
  std::string text =
      format("%s is wrong in %zu of %zu elements (%.1f %%)", tensor.c_str(), comparison.wrong,
             comparison.total,
             100.0 * static_cast<double>(comparison.wrong) / static_cast<double>(comparison.total));
  if (comparison.not_finite > comparison.unwritten) {
    text += format(", %zu of them NaN or infinite", comparison.not_finite - comparison.unwritten);
  }
  if (comparison.unwritten > 0) text += format(", %zu never written", comparison.unwritten);
  if (comparison.not_finite < comparison.total) {
    text += format("; largest finite error %.3g", comparison.max_abs_error);
  }
  text += format(" (allowed: %.2g + %.2g |expected|)", comparison.bound.absolute,
                 comparison.bound.relative);
  for (const Mismatch& mismatch : comparison.first) {
    text += "\n  " + where(mismatch.index);
    text += format(": expected %.7g, got ", mismatch.expected);
    text += is_poison(mismatch.got) ? "nothing (never written)" : format("%.7g", mismatch.got);
  }
  return text;
}

}  // namespace flashlab::judge
