// Weights per pair of query and key, P and dS, as wrong kernels compute them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "diagnose_gradient.hpp"

namespace flashlab::judge {

/// A wrong weight per pair, and how to say so.
struct WeightVariant {
  const char* cause;
  std::string text;  ///< follows "dV is what "
  const char* topic;
  std::function<reference::RowMatrix(const Head&)> weights;  ///< [seq_q, seq_k]
};

/// Wrong ways to recompute P; `tiles` are sizes of tiles that a mask may hide as a whole.
std::vector<WeightVariant> wrong_probabilities(const Shape& shape, const std::vector<int>& tiles);
/// Wrong ways from P and dP to dS.
std::vector<WeightVariant> wrong_score_gradients();
/// Weights whose tiles of tile x tile elements are each read transposed.
reference::RowMatrix transposed_by_tile(const reference::RowMatrix& weights, int tile);

}  // namespace flashlab::judge
