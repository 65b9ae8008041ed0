// Row softmax in float64.
#pragma once

#include <Eigen/Core>

namespace flashlab::reference {

/// A float64 matrix, row-major like every tensor of FlashLab.
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// What a softmax leaves behind per row; both vectors have one entry per row.
struct SoftmaxStats {
  Eigen::VectorXd row_max;      ///< m_i = max_j s_ij; -inf for a row that is masked throughout
  Eigen::VectorXd log_sum_exp;  ///< L_i = ln sum_j exp(s_ij) = m_i + ln l_i; -inf for such a row
};

/// Replaces each row of `scores` [rows, cols] by its softmax, p_ij = exp(s_ij - m_i) / sum_k
/// exp(s_ik - m_i).
///
/// Subtracting the maximum leaves the result unchanged and keeps every exponent <= 0, so nothing
/// overflows. A score of -inf marks a masked entry and gives exactly 0. A row whose scores are all
/// -inf has no softmax (0/0): it becomes all zeros, with row_max = log_sum_exp = -inf, so that it
/// contributes nothing (see attention.hpp). A score of NaN or +inf makes its whole row NaN.
SoftmaxStats softmax_rows(Eigen::Ref<RowMatrix> scores);

}  // namespace flashlab::reference
