#include "kinds.hpp"

#include <algorithm>

namespace flashlab::judge {
namespace {

using protocol::EntryKind;
using Tensors = std::vector<TensorSpec>;
using Captures = std::vector<CaptureSpec>;

Tensors attention_forward(const Shape& shape) {
  return {{"Q", shape.q_elements(), true},
          {"K", shape.k_elements(), true},
          {"V", shape.k_elements(), true},
          {"O", shape.q_elements(), false}};
}

Tensors attention_forward_lse(const Shape& shape) {
  Tensors tensors = attention_forward(shape);
  tensors.push_back({"L", shape.rows(), false});
  return tensors;
}

Tensors attention_backward(const Shape& shape) {
  return {{"Q", shape.q_elements(), true},   {"K", shape.k_elements(), true},
          {"V", shape.k_elements(), true},   {"O", shape.q_elements(), true},
          {"L", shape.rows(), true},         {"dO", shape.q_elements(), true},
          {"dQ", shape.q_elements(), false}, {"dK", shape.k_elements(), false},
          {"dV", shape.k_elements(), false}};
}

/// Lab 2 counts rows as seq_q, and the parts or columns of a row as seq_k.
Tensors merge_states(const Shape& shape) {
  const size_t rows = shape.seq_q, parts = shape.scores(), d = shape.head_dim;
  return {{"m", parts, true},     {"l", parts, true},     {"o", parts * d, true},
          {"m_out", rows, false}, {"l_out", rows, false}, {"o_out", rows * d, false}};
}

Tensors row_statistics(const Shape& shape) {
  return {{"S", shape.scores(), true}, {"m", shape.rows(), false}, {"l", shape.rows(), false}};
}

Tensors row_softmax(const Shape& shape) {
  return {{"S", shape.scores(), true}, {"P", shape.scores(), false}};
}

Captures scores_and_probabilities(const Shape& shape) {
  return {{"S", shape.scores()}, {"P", shape.scores()}};
}

Captures nothing(const Shape&) {
  return {};
}

}  // namespace

const Kind* find_kind(const std::string& name) {
  static const std::vector<const char*> kStages = {"scores", "softmax", "weighted_sum"};
  static const Kind kKinds[] = {
      {"attention_forward", EntryKind::kAttentionForward, attention_forward,
       scores_and_probabilities, kStages},
      {"attention_forward_lse",
       EntryKind::kAttentionForwardLse,
       attention_forward_lse,
       scores_and_probabilities,
       {"scores", "softmax", "weighted_sum", "mask", "log_sum_exp"}},
      {"merge_states", EntryKind::kMergeStates, merge_states, nothing, {"merge"}},
      {"row_statistics", EntryKind::kRowStatistics, row_statistics, nothing, {"statistics"}},
      {"row_softmax", EntryKind::kRowSoftmax, row_softmax, nothing, {"softmax", "statistics"}},
      {"attention_backward",
       EntryKind::kAttentionBackward,
       attention_backward,
       nothing,
       {"recompute", "ds", "dv", "dk", "dq", "mask"}},
  };
  const auto found = std::ranges::find(kKinds, name, [](const Kind& kind) { return kind.name; });
  return found == std::end(kKinds) ? nullptr : found;
}

}  // namespace flashlab::judge
