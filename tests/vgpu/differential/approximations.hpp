// How far an approximate instruction's results are from the exact function, in the measure in which
// the PTX ISA (9.0, section 9.7.3) states its bound.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

enum class Unit { kUlp, kRelative, kAbsolute };

/// The exact function of the instructions whose names begin with `prefix`, and where its bound
/// holds.
struct Approximation {
  std::string_view prefix;
  Unit unit;
  double (*exact)(double a, double b);
  bool (*in_range)(double a, double b);
};

inline const std::vector<Approximation>& approximations() {
  static constexpr auto kEverywhere = [](double, double) { return true; };
  static constexpr auto kNear = [](double a, double) { return a > 0.5 && a < 2; };
  static constexpr auto kFar = [](double a, double) { return a <= 0.5 || a >= 2; };
  static constexpr auto kTurn = [](double a, double) { return std::fabs(a) <= 6.283185307; };
  static constexpr auto kDivisor = [](double, double b) { return std::fabs(b) >= 0x1p-126; };
  static constexpr auto kQuotient = [](double a, double b) { return a / b; };
  static constexpr auto kReciprocal = [](double a, double) { return 1 / a; };
  static constexpr auto kRoot = [](double a, double) { return std::sqrt(a); };
  static constexpr auto kReciprocalRoot = [](double a, double) { return 1 / std::sqrt(a); };
  static constexpr auto kPower = [](double a, double) { return std::exp2(a); };
  static constexpr auto kLogarithm = [](double a, double) { return std::log2(a); };
  static constexpr auto kSine = [](double a, double) { return std::sin(a); };
  static constexpr auto kCosine = [](double a, double) { return std::cos(a); };
  static constexpr auto kTangent = [](double a, double) { return std::tanh(a); };
  static const std::vector<Approximation> list = {
      {"div.approx", Unit::kUlp, kQuotient, kDivisor},
      {"div.full", Unit::kUlp, kQuotient, kEverywhere},
      {"rcp.approx.ftz.f64", Unit::kRelative, kReciprocal, kEverywhere},
      {"rcp.approx", Unit::kUlp, kReciprocal, kEverywhere},
      {"sqrt.approx", Unit::kRelative, kRoot, kEverywhere},
      {"rsqrt.approx", Unit::kRelative, kReciprocalRoot, kEverywhere},
      {"ex2.approx", Unit::kUlp, kPower, kEverywhere},
      {"lg2.approx", Unit::kAbsolute, kLogarithm, kNear},
      {"lg2.approx", Unit::kRelative, kLogarithm, kFar},
      {"sin.approx", Unit::kAbsolute, kSine, kTurn},
      {"cos.approx", Unit::kAbsolute, kCosine, kTurn},
      {"tanh.approx", Unit::kRelative, kTangent, kEverywhere},
  };
  return list;
}

/// One approximate operation's view of its operands and results as numbers.
class Approximate {
 public:
  explicit Approximate(std::string_view name)
      : is_double_(name.ends_with("f64")),
        flushes_(name.find(".ftz") != std::string_view::npos),
        divides_by_reciprocal_(name.starts_with("div.approx")) {
    for (const Approximation& a : approximations()) {
      const bool more_specific = !measures_.empty() && measures_[0].prefix != a.prefix;
      if (name.starts_with(a.prefix) && !more_specific) measures_.push_back(a);
    }
  }

  const std::vector<Approximation>& measures() const { return measures_; }

  double number(uint64_t bits) const {
    const double value = is_double_ ? std::bit_cast<double>(bits)
                                    : std::bit_cast<float>(static_cast<uint32_t>(bits));
    return flushes_ && std::fabs(value) < smallest() ? std::copysign(0.0, value) : value;
  }

  /// Operands that have one right answer: zeros, infinities, NaN and results that are none, and
  /// divisors so large that the PTX ISA defines the result.
  bool is_special(double a, double b) const {
    const double exact = measures_[0].exact(a, b);
    return a == 0 || b == 0 || !std::isfinite(a) || !std::isfinite(b) || std::isnan(exact) ||
           (divides_by_reciprocal_ && std::fabs(b) > 0x1p126);
  }

  double error(const Approximation& measure, double a, double b, double got) const {
    const double exact = measure.exact(a, b), size = std::fabs(exact);
    const double largest =
        is_double_ ? std::numeric_limits<double>::max() : double{std::numeric_limits<float>::max()};
    if (size > largest && std::fabs(got) >= largest) return 0;
    if (flushes_ && size < smallest() * (1 + 0x1p-20) && got == 0) return 0;
    const double distance = std::fabs(got - exact);
    if (!(distance <= std::numeric_limits<double>::max())) return 1e300;
    if (measure.unit == Unit::kAbsolute) return distance;
    const double scale = std::max(size, smallest());
    if (measure.unit == Unit::kRelative) return distance / scale;
    return distance / std::exp2(std::floor(std::log2(scale)) - 23);
  }

 private:
  double smallest() const { return is_double_ ? 0x1p-1022 : 0x1p-126; }  // normal number

  bool is_double_, flushes_, divides_by_reciprocal_;
  std::vector<Approximation> measures_;
};
