// How far a right result may be from the reference: what rounding in float32 can do, for each kind
// of output. README.md, "Tolerances", derives the numbers; compare.hpp has the bound of O and L.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "compare.hpp"
#include "inputs.hpp"
#include "reference/attention.hpp"
#include "reference/attention_backward.hpp"

namespace flashlab::judge {

/// The problem as the reference takes it.
reference::AttentionShape exact_shape(const Shape& shape);

/// What a call of the backward pass is judged by.
struct BackwardStandard {
  Inputs inputs;
  std::vector<float> dO;
  reference::AttentionResult forward;  ///< with S and P
  reference::AttentionGradients gradients;
};

/// Computes forward and gradients of `standard` from its inputs and dO.
void solve(BackwardStandard& standard, const Shape& shape);

/// Draws the inputs of a case and solves it.
BackwardStandard make_backward_standard(const CaseSpec& spec, uint64_t seed);

/// The bound of "dQ", "dK" or "dV". A score is off by its rounding error eps |S|, so P is by that
/// part of itself, and dP and D by theirs, eps max|dP|. dQ sums dS over keys, where P sums to 1; dK
/// and dV sum over queries, where P sums to its column sum.
ErrorBound gradient_bound(const Tolerance& tolerance, const Shape& shape,
                          const BackwardStandard& standard, std::string_view gradient);

/// The bound of a sum of exponentials in lab 2 (l, P). Scores move them by their rounding error,
/// eps |s|: everything is exact up to that, relative to its size. Sums of both signs, as o, are so
/// relative to `size`, the largest of them.
ErrorBound online_bound(const Tolerance& tolerance, std::span<const float> scores, double size = 0);

/// The bound of a maximum: it is one of the scores, so only a kernel that multiplies it, by log2(e)
/// say, rounds it at all.
ErrorBound maximum_bound(const Tolerance& tolerance);

}  // namespace flashlab::judge
