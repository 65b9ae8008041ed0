// Comparison of a float32 result with the float64 reference. Every test is written so that NaN
// fails it.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab.hpp"

namespace flashlab::judge {

/// |got - expected| <= absolute + relative * |expected|; an infinity must be met exactly
struct ErrorBound {
  double absolute = 0, relative = 0;

  bool holds(double got, double expected) const {
    if (std::isinf(expected)) return got == expected;  // else the bound would be infinite too
    return std::abs(got - expected) <= absolute + relative * std::abs(expected);
  }
};

/// The bound of a case; max_abs_score is max|S| and max_abs_value is max|V| of the reference.
ErrorBound error_bound(const Tolerance& tolerance, double max_abs_score, double max_abs_value);

struct Mismatch {
  size_t index = 0;
  double expected = 0;
  float got = 0;
};

inline constexpr size_t kShownMismatches = 5;

struct Comparison {
  size_t total = 0, wrong = 0;
  size_t unwritten =
      0;  ///< elements that still hold the poison pattern; they are not finite either
  size_t not_finite = 0;                        ///< NaN or infinite, poison included; always wrong
  double max_abs_error = 0, max_rel_error = 0;  ///< over the finite elements
  ErrorBound bound;
  std::vector<Mismatch> first;  ///< the first kShownMismatches wrong elements
  std::vector<bool> is_wrong;   ///< per element

  bool ok() const { return total > 0 && wrong == 0; }
};

/// Whether an element still holds the pattern that the worker fills outputs with.
bool is_poison(float value);

/// Compares element by element; an expected infinity must be met exactly. Throws
/// std::invalid_argument when the sizes differ.
Comparison compare(std::span<const float> got, std::span<const double> expected, ErrorBound bound);

/// Where an element lies: [batch, head, row, column].
std::array<size_t, 4> position(size_t index, const Shape& shape, size_t columns);

/// "O[b=0, h=1, i=128, c=3]"; the last letter is 'c' for O and 'j' for S and P.
std::string describe_position(std::string_view tensor, size_t index, const Shape& shape,
                              size_t columns, char column_name);

/// What is wrong with a tensor, in a few lines: how many, how far, the first mismatches, each with
/// what `where` says of its index.
std::string describe_mismatches(const Comparison& comparison, const std::string& tensor,
                                const std::function<std::string(size_t)>& where);

}  // namespace flashlab::judge
