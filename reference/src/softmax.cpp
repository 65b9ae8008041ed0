#include "reference/softmax.hpp"

#include <cmath>
#include <limits>

namespace flashlab::reference {

SoftmaxStats softmax_rows(Eigen::Ref<RowMatrix> scores) {
  constexpr double kNoKey = -std::numeric_limits<double>::infinity();
  SoftmaxStats stats{Eigen::VectorXd::Constant(scores.rows(), kNoKey),
                     Eigen::VectorXd::Constant(scores.rows(), kNoKey)};
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    auto row = scores.row(i);
    const double m = row.size() == 0 ? kNoKey : row.maxCoeff<Eigen::PropagateNaN>();
    if (m == kNoKey) {
      row.setZero();
      continue;
    }
    // std::exp, because Eigen's own clamps its argument: exp(-inf) is 5.6e-309 there, not 0.
    row = row.unaryExpr([m](double s) { return std::exp(s - m); });
    const double l = row.sum();
    row /= l;
    stats.row_max[i] = m;
    stats.log_sum_exp[i] = m + std::log(l);
  }
  return stats;
}

}  // namespace flashlab::reference
