// Attention backward in float64: the gradients that a kernel should have computed.
#pragma once

#include <span>
#include <vector>

#include "reference/attention.hpp"

namespace flashlab::reference {

/// Gradients of a scalar loss with respect to the inputs of attention, and what a comparison with
/// them needs.
///
/// With P = softmax(S), dP = dO V^T and D_i = sum_c dO_ic O_ic = sum_j P_ij dP_ij:
///   dV = P^T dO,   dS = P o (dP - D),   dQ = scale dS K,   dK = scale dS^T Q.
/// A masked key has P = 0 and gets nothing. A query that sees no key gives and gets nothing: its
/// row of dQ is 0, and so is its D.
struct AttentionGradients {
  std::vector<double> dQ;   ///< [batch, heads_q, seq_q, head_dim]
  std::vector<double> dK;   ///< [batch, heads_kv, seq_k, head_dim], summed over a group's heads
  std::vector<double> dV;   ///< [batch, heads_kv, seq_k, head_dim], summed over a group's heads
  std::vector<double> D;    ///< [batch, heads_q, seq_q]
  double max_abs_dp = 0.0;  ///< max |dP_ij| over all visible entries, 0 if there are none
};

/// dQ, dK and dV from Q, K, V and dO = dLoss/dO [batch, heads_q, seq_q, head_dim], float32 or
/// float64, computed in float64 by blocks of query rows: no [seq_q, seq_k] matrix is formed.
/// Source: Dao et al. 2022, "FlashAttention", appendix B.2; Dao 2023, "FlashAttention-2",
/// section 2.3.2.
///
/// Throws std::invalid_argument under the same conditions as attention_forward, for dO too.
AttentionGradients attention_backward(const AttentionShape& shape, std::span<const float> Q,
                                      std::span<const float> K, std::span<const float> V,
                                      std::span<const float> dO);
AttentionGradients attention_backward(const AttentionShape& shape, std::span<const double> Q,
                                      std::span<const double> K, std::span<const double> V,
                                      std::span<const double> dO);

}  // namespace flashlab::reference
