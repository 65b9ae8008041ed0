// Attention backward: dV, dK and dQ, in this order, against the float64 reference; limits on memory
// and traffic.
#include "reference/attention_backward.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cases/case.hpp"
#include "diagnose_gradient.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::AttentionGradients;
using reference::AttentionResult;

double largest(const std::vector<float>& values) {
  double size = 0;
  for (const float value : values) size = std::max(size, std::abs(static_cast<double>(value)));
  return size;
}

/// The largest sum of a column of P: how much weight a key gets from all queries together.
double largest_column_sum(const Shape& shape, const std::vector<double>& P) {
  double most = 0;
  const size_t n = shape.seq_q, keys = shape.seq_k;
  std::vector<double> sums(keys);
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    std::ranges::fill(sums, 0);
    for (size_t at = slice * n * keys; at < (slice + 1) * n * keys; ++at) sums[at % keys] += P[at];
    most = std::max(most, *std::ranges::max_element(sums));
  }
  return most;
}

/// What one call is judged by.
struct Standard {
  Inputs inputs;
  std::vector<float> dO;
  AttentionResult forward;  ///< with S and P
  AttentionGradients gradients;
};

/// The bound of one gradient. A score is off by its rounding error eps |S|, so P is by that part of
/// itself, and dP and D by theirs, eps max|dP|. dQ sums dS over keys, where P sums to 1; dK and dV
/// sum over queries, where P sums to its column sum.
ErrorBound bound_of(const Lab& lab, const Shape& shape, const Standard& standard,
                    const std::string& gradient) {
  const double part_of_p = (1 + standard.forward.max_abs_score) *
                           std::numeric_limits<float>::epsilon() * lab.tolerance.eps_factor;
  const double weight = largest_column_sum(shape, standard.forward.P);
  const double ds = 2 * standard.gradients.max_abs_dp * part_of_p * std::abs(shape.scale);
  double absolute = 0;
  if (gradient == "dV") absolute = part_of_p * largest(standard.dO) * weight;
  if (gradient == "dK") absolute = ds * largest(standard.inputs.Q) * weight;
  if (gradient == "dQ") absolute = ds * largest(standard.inputs.K);
  return {std::max(lab.tolerance.absolute, absolute), lab.tolerance.relative};
}

Standard make_standard(const CaseSpec& spec, uint64_t seed) {
  Standard standard;
  standard.inputs = draw_inputs(spec, seed);
  standard.dO = draw_output_gradient(spec, seed);
  const reference::AttentionShape shape = exact_shape(spec.shape);
  const std::span<const float> Q = standard.inputs.Q, K = standard.inputs.K, V = standard.inputs.V;
  standard.forward =
      reference::attention_forward(shape, Q, K, V, reference::Keep::kScoresAndProbabilities);
  standard.gradients = reference::attention_backward(shape, Q, K, V, standard.dO);
  return standard;
}

std::vector<float> rounded(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

/// Compares the gradients; explains the first wrong one in `result`. dV needs P alone, dK and dQ
/// need dS too: the first that is wrong is nearest to the fault.
bool check_gradients(const Lab& lab, const Shape& shape, const Standard& standard,
                     const CallResult& call, CaseResult& result) {
  std::string right;
  for (const std::string name : {"dV", "dK", "dQ"}) {
    GradientEvidence evidence{lab,
                              shape,
                              standard.inputs,
                              standard.dO,
                              standard.forward,
                              standard.gradients,
                              name,
                              call.after(name),
                              {}};
    evidence.comparison =
        compare(evidence.got, evidence.right(name), bound_of(lab, shape, standard, name));
    if (evidence.comparison.ok()) {
      if (!result.error) result.error = summary(evidence.comparison);
      right += (right.empty() ? "" : " and ") + name;
      continue;
    }
    result.error = summary(evidence.comparison);
    result.diagnosis = diagnose_gradient(evidence);
    const Shape own = evidence.own_shape();
    const auto where = [&](size_t index) {
      const auto [b, h, row, c] = position(index, own, own.head_dim);
      return format("%s[b=%zu, h=%zu, %c=%zu, c=%zu]", name.c_str(), b, h, name == "dQ" ? 'i' : 'j',
                    row, c);
    };
    const std::string before =
        right.empty() ? "" : right + (right.size() > 2 ? " are" : " is") + " right. ";
    fail(result,
         before + describe_mismatches(evidence.comparison, name, where) + "\n" +
             result.diagnosis->text,
         lab.section(result.diagnosis->topic));
    return false;
  }
  return true;
}

}  // namespace

CaseResult grade_attention_backward(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                                    Client& client) {
  CaseResult result;
  result.max_points = spec.points;
  const Standard standard = make_standard(spec, seed);
  const std::vector<Input> inputs = {
      {"Q", standard.inputs.Q},           {"K", standard.inputs.K},
      {"V", standard.inputs.V},           {"O", rounded(standard.forward.O)},
      {"L", rounded(standard.forward.L)}, {"dO", standard.dO}};
  const auto call = call_submission(lab, spec, inputs, client, result);
  if (!call || !check_call(lab, spec, inputs, *call, result)) return result;
  const bool is_right = check_gradients(lab, spec.shape, standard, *call, result);
  if (!is_right) look_for_findings(lab, spec, inputs, client, result);
  conclude(lab, spec, is_right, result);
  return result;
}

}  // namespace flashlab::judge
