// Attention forward in float64: the only source of truth for what a kernel should have computed.
#pragma once

#include <span>
#include <vector>

namespace flashlab::reference {

/// One attention problem. Tensors are contiguous and row-major:
///   Q, O  [batch, heads_q,  seq_q, head_dim]
///   K, V  [batch, heads_kv, seq_k, head_dim]
/// Grouped-query attention: query head h reads key/value head h / (heads_q / heads_kv).
/// heads_kv = heads_q is multi-head attention, heads_kv = 1 multi-query attention.
/// Source: Ainslie et al. 2023, "GQA", section 2.2.
struct AttentionShape {
  int batch = 1;
  int heads_q = 1;
  int heads_kv = 1;  ///< divides heads_q
  int seq_q = 1;
  int seq_k = 1;
  int head_dim = 1;
  double scale = 1.0;  ///< multiplies Q K^T, usually 1/sqrt(head_dim); finite
  /// Query i sees key j only if j <= i + (seq_k - seq_q): aligned to the bottom right corner.
  bool causal = false;
};

/// Which results to keep: those that grow with seq_q + seq_k, or S and P [seq_q, seq_k] as well.
enum class Keep { kOutput, kScoresAndProbabilities };

/// Everything that a kernel may be compared with.
///
/// A masked score is -inf and its probability exactly 0. A query that sees no key (causal with
/// seq_q > seq_k: the first seq_q - seq_k rows) has O = 0, P = 0 and L = row_max = -inf: the
/// logarithm of an empty sum, and the identity when split keys are combined by
/// L = ln sum_s exp(L_s). (Some kernels store L = +inf to spare their backward pass a branch; that
/// value would break the combination.)
struct AttentionResult {
  std::vector<double> O;        ///< [batch, heads_q, seq_q, head_dim]
  std::vector<double> L;        ///< [batch, heads_q, seq_q], ln sum_j exp(S_ij), natural logarithm
  std::vector<double> row_max;  ///< [batch, heads_q, seq_q], max_j S_ij
  std::vector<double> S;        ///< [batch, heads_q, seq_q, seq_k], scale * Q K^T masked, if kept
  std::vector<double> P;        ///< [batch, heads_q, seq_q, seq_k], softmax of S, if kept
  double max_abs_score = 0.0;   ///< max |S_ij| over all visible entries, 0 if there are none
  double max_abs_value = 0.0;   ///< max |V_jc|
};

/// O = softmax(scale * Q K^T + mask) V for every batch and head, from float32 or float64 inputs,
/// computed in float64 by blocks of query rows: no [seq_q, seq_k] matrix is formed unless kept.
///
/// Throws std::invalid_argument, naming the culprit, when a dimension is < 1, heads_kv does not
/// divide heads_q, a tensor has the wrong number of elements, or an input or a visible score is not
/// finite: no verdict may rest on NaN or infinity.
AttentionResult attention_forward(const AttentionShape& shape, std::span<const float> Q,
                                  std::span<const float> K, std::span<const float> V,
                                  Keep keep = Keep::kOutput);
AttentionResult attention_forward(const AttentionShape& shape, std::span<const double> Q,
                                  std::span<const double> K, std::span<const double> V,
                                  Keep keep = Keep::kOutput);

}  // namespace flashlab::reference
