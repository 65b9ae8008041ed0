// Lab 2: states of the online softmax, what the right ones are, and what wrong formulas would give.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diagnose.hpp"
#include "inputs.hpp"

namespace flashlab::judge {

/// One state for each row, in float64.
struct RowStates {
  std::vector<double> m, l;  ///< [rows]
  std::vector<double> o;     ///< [rows, head_dim]; empty where there are no values
};

/// The parts of every row merged, by the reference.
RowStates merge_parts(const Shape& shape, const PartialStates& parts);
/// m and l of every row of scores, by the reference.
RowStates state_of_rows(const Shape& shape, std::span<const float> S);
/// P [rows, columns] from the state of every row; zeros where l is 0.
std::vector<double> probabilities(const Shape& shape, std::span<const float> S,
                                  const RowStates& states);

/// A wrong formula and the states that it gives.
struct StateHypothesis {
  const char* cause;
  std::string text;
  std::function<RowStates()> states;
};

/// Wrong ways to merge parts.
std::vector<StateHypothesis> merge_hypotheses(const Shape& shape, const PartialStates& parts);
/// Wrong ways to sum up a row of scores, by one thread or by many.
std::vector<StateHypothesis> row_hypotheses(const Shape& shape, std::span<const float> S);

}  // namespace flashlab::judge
