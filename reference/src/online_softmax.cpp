#include "reference/online_softmax.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace flashlab::reference {
namespace {

constexpr double kNoKey = -std::numeric_limits<double>::infinity();

/// exp(from - to), the factor that carries a sum from maximum `from` to `to` >= `from`.
/// The sum of no keys stays what it is (zero) at any maximum; without the test -inf - (-inf) would
/// make it NaN.
double rescale(double from, double to) {
  return from == kNoKey ? 0.0 : std::exp(from - to);
}

}  // namespace

OnlineSoftmax::OnlineSoftmax(Eigen::Index head_dim) {
  if (head_dim < 1) {
    throw std::invalid_argument("OnlineSoftmax: head_dim is " + std::to_string(head_dim) +
                                ", must be at least 1");
  }
  o = Eigen::VectorXd::Zero(head_dim);
}

OnlineSoftmax::OnlineSoftmax(double max, double sum, Eigen::VectorXd output)
    : m(max), l(sum), o(std::move(output)) {}

void OnlineSoftmax::update(const Eigen::Ref<const Eigen::VectorXd>& scores,
                           const Eigen::Ref<const RowMatrix>& values) {
  if (values.rows() != scores.size() || values.cols() != o.size()) {
    throw std::invalid_argument(
        "OnlineSoftmax::update: values are [" + std::to_string(values.rows()) + ", " +
        std::to_string(values.cols()) + "], but the scores and the state need [" +
        std::to_string(scores.size()) + ", " + std::to_string(o.size()) + "]");
  }
  if (scores.size() == 0) return;
  const double m_new = std::max(m, scores.maxCoeff());
  const double alpha = rescale(m, m_new);
  const Eigen::VectorXd p = scores.unaryExpr([m_new](double s) { return rescale(s, m_new); });
  o = alpha * o + values.transpose() * p;
  l = alpha * l + p.sum();
  m = m_new;
}

Eigen::VectorXd OnlineSoftmax::output() const {
  if (l == 0.0) return Eigen::VectorXd::Zero(o.size());
  return o / l;
}

double OnlineSoftmax::log_sum_exp() const {
  return l == 0.0 ? kNoKey : m + std::log(l);
}

OnlineSoftmax merge(const OnlineSoftmax& a, const OnlineSoftmax& b) {
  if (a.o.size() != b.o.size()) {
    throw std::invalid_argument("merge: the states have head_dim " + std::to_string(a.o.size()) +
                                " and " + std::to_string(b.o.size()) + ", which must be equal");
  }
  const double m = std::max(a.m, b.m);
  const double to_a = rescale(a.m, m);
  const double to_b = rescale(b.m, m);
  return OnlineSoftmax(m, to_a * a.l + to_b * b.l, to_a * a.o + to_b * b.o);
}

}  // namespace flashlab::reference
