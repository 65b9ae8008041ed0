// Attention in float64 with a part exchanged: what a wrong formula would give.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>
#include <vector>

#include "diagnose.hpp"
#include "reference/softmax.hpp"

namespace flashlab::judge {

using Values = std::vector<double>;

/// One attention problem in float64, to be changed and solved again.
struct Problem {
  Shape shape;
  double scale;
  Values Q, K, V;
  std::function<bool(int i, int j)> sees;  ///< whether query i sees key j
};

/// The problem as it was set.
Problem original(const Evidence& evidence);

/// From scores of one slice [rows, seq_k], -infinity where masked, to the weights of V.
using Weights = std::function<reference::RowMatrix(reference::RowMatrix)>;

/// Rows of every slice, in ascending order: hypotheses are tried on a few before they are on all.
using Rows = std::vector<int>;

/// O [batch, heads, rows, head_dim]; the weights are the softmax unless given.
Values solve(const Problem& problem, const Rows& rows, const Weights& weights = nullptr);

/// A wrong formula, with what to say when it explains the result.
struct Hypothesis {
  const char* cause;
  std::string text;
  const char* topic;
  std::function<Values(const Rows&)>
      output;  ///< O [batch, heads, rows, head_dim] under this formula
};

/// Wrong scale, softmax, number of keys, layout (hypotheses.cpp).
void add_attention_hypotheses(const Evidence& evidence, std::vector<Hypothesis>& list);
/// A factor that fits what came best.
void add_factor(const Evidence& evidence, std::vector<Hypothesis>& list);
/// Tiles that are merged wrongly, and wrong masks (hypotheses_online.cpp).
void add_online_hypotheses(const Evidence& evidence, std::vector<Hypothesis>& list);
void add_mask_hypotheses(const Evidence& evidence, std::vector<Hypothesis>& list);

}  // namespace flashlab::judge
