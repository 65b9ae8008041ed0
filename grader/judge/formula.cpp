#include "formula.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "text.hpp"

namespace flashlab::judge {
namespace {

/// A parser by recursive descent that evaluates as it reads: sum = product {+- product}, product =
/// factor {*/ factor}, factor = number | name | ceil(sum) | (sum) | -factor.
class Evaluator {
 public:
  Evaluator(std::string_view text, const Shape& shape) : text_(text), shape_(shape) {}

  double whole() {
    const double value = sum();
    if (peek() != '\0') fail("an operator is missing");
    if (!std::isfinite(value)) fail("the value is not finite");
    return value;
  }

 private:
  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  double sum() {
    double value = product();
    while (true) {
      if (take('+')) {
        value += product();
      } else if (take('-')) {
        value -= product();
      } else {
        return value;
      }
    }
  }

  double product() {
    double value = factor();
    while (true) {
      if (take('*')) {
        value *= factor();
      } else if (take('/')) {
        value /= factor();
      } else {
        return value;
      }
    }
  }

  double factor() {
    if (take('-')) return -factor();
    if (take('(')) return closed(sum());
    const char first = peek();
    if (std::isalpha(static_cast<unsigned char>(first)) != 0) return named(word());
    double value = 0;
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("a number, a name or '(' is missing");
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }

  double closed(double value) {
    if (!take(')')) fail("')' is missing");
    return value;
  }

  std::string_view word() {
    const size_t start = at_;
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return text_.substr(start, at_ - start);
  }

  double named(std::string_view name) {
    if (name == "ceil") {
      if (!take('(')) fail("'(' is missing");
      return std::ceil(closed(sum()));
    }
    const struct {
      std::string_view name;
      int value;
    } sizes[] = {{"B", shape_.batch},
                 {"H", shape_.heads},
                 {"Nq", shape_.seq_q},
                 {"Nk", shape_.seq_k},
                 {"d", shape_.head_dim}};
    for (const auto& size : sizes) {
      if (size.name == name) return size.value;
    }
    fail("the name is not one of B, H, Nq, Nk, d, ceil");
  }

  [[noreturn]] void fail(const char* what) const {
    throw std::invalid_argument(format("%s after '%s' in the formula '%s'", what,
                                       std::string(text_.substr(0, at_)).c_str(),
                                       std::string(text_).c_str()));
  }

  std::string_view text_;
  const Shape& shape_;
  size_t at_ = 0;
};

}  // namespace

double evaluate(std::string_view text, const Shape& shape) {
  return Evaluator(text, shape).whole();
}

}  // namespace flashlab::judge
