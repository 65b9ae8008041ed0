// From a wrong gradient of the backward pass to its likely cause.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "diagnose.hpp"
#include "reference/attention_backward.hpp"
#include "reference/softmax.hpp"

namespace flashlab::judge {

/// One wrong gradient, and everything that a rule may look at.
struct GradientEvidence {
  const Lab& lab;
  const Shape& shape;
  const Inputs& inputs;
  std::span<const float> dO;                      ///< [batch, heads, seq_q, head_dim]
  const reference::AttentionResult& forward;      ///< with S and P
  const reference::AttentionGradients& expected;  ///< all three gradients
  std::string name;                               ///< "dQ", "dK" or "dV"
  std::span<const float> got;                     ///< dQ as dO, dK and dV as K
  Comparison comparison;

  /// The shape of the gradient itself: seq_q counts its rows.
  Shape own_shape() const;
  /// What the gradient of this name should be. Throws std::out_of_range.
  const std::vector<double>& right(const std::string& gradient) const;
};

/// The first rule that explains the gradient; kUnknownCause with the place of the errors when none
/// does.
Diagnosis diagnose_gradient(const GradientEvidence& evidence);

/// One head in float64, as the formulas of the backward pass name it.
struct Head {
  reference::RowMatrix Q, K, V, O, dO;  ///< [rows, head_dim]
  reference::RowMatrix raw, S, P, dP;   ///< [seq_q, seq_k]; raw is S without the mask
  Eigen::VectorXd L, D;                 ///< [seq_q]
  double scale;

  /// P o (dP - D)
  reference::RowMatrix score_gradient() const;
};

/// The gradient of this name, "dQ", "dK" or "dV".
reference::RowMatrix right_gradient(const std::string& gradient, const Head& head);

/// A wrong formula for one gradient, with what to say when it explains what came.
struct GradientHypothesis {
  const char* cause;
  std::string text;
  const char* topic;
  std::function<reference::RowMatrix(const Head&)> gradient;
};

/// The wrong formulas for the gradient of this evidence (hypotheses_gradient.cpp).
std::vector<GradientHypothesis> gradient_hypotheses(const GradientEvidence& evidence);

}  // namespace flashlab::judge
