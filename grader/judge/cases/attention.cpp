// Attention forward: O (and L, where the entry point has it) against the float64 reference, S and P
// of the workspace as evidence, limits on memory and traffic.
#include "cases/case.hpp"
#include "diagnose.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::AttentionResult;

AttentionResult solve(const Shape& shape, const Inputs& inputs, reference::Keep keep) {
  return reference::attention_forward(exact_shape(shape), std::span<const float>(inputs.Q),
                                      std::span<const float>(inputs.K),
                                      std::span<const float>(inputs.V), keep);
}

/// Compares O; on failure explains it in `result`.
bool check_output(const Lab& lab, const Shape& shape, const Inputs& inputs,
                  const AttentionResult& expected, const CallResult& call, CaseResult& result) {
  const std::vector<float>& O = call.after("O");
  const Comparison comparison = compare(
      O, expected.O, error_bound(lab.tolerance, expected.max_abs_score, expected.max_abs_value));
  result.error = summary(comparison);
  if (comparison.ok()) return true;
  const AttentionResult full = solve(shape, inputs, reference::Keep::kScoresAndProbabilities);
  result.diagnosis =
      diagnose({lab, shape, inputs, full, O, call.captures[0], call.captures[1], comparison});
  const auto where = [&](size_t index) {
    return describe_position("O", index, shape, shape.head_dim, 'c');
  };
  fail(result, describe_mismatches(comparison, "O", where) + "\n" + result.diagnosis->text,
       lab.section(result.diagnosis->topic));
  return false;
}

/// Compares L, once O is right; on failure explains it in `result`. An error of a score is an error
/// of L, so the bound is that of O with values of 1.
bool check_log_sum_exp(const Lab& lab, const Shape& shape, const AttentionResult& expected,
                       const CallResult& call, CaseResult& result) {
  const std::vector<float>& L = call.after("L");
  const Comparison comparison =
      compare(L, expected.L, error_bound(lab.tolerance, expected.max_abs_score, 1));
  if (comparison.ok()) return true;
  result.error = summary(comparison);
  result.diagnosis = diagnose_log_sum_exp({lab, shape, expected, L, comparison});
  const auto where = [&](size_t index) {
    const auto [b, h, i, c] = position(index, shape, 1);
    return format("L[b=%zu, h=%zu, i=%zu]", b, h, i);
  };
  fail(result,
       "O is right, L is not: " + describe_mismatches(comparison, "L", where) + "\n" +
           result.diagnosis->text,
       lab.section(result.diagnosis->topic));
  return false;
}

}  // namespace

CaseResult grade_attention(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client) {
  CaseResult result;
  result.max_points = spec.points;
  const Inputs drawn = draw_inputs(spec, seed);
  const std::vector<Input> inputs = {{"Q", drawn.Q}, {"K", drawn.K}, {"V", drawn.V}};
  const auto call = call_submission(lab, spec, inputs, client, result);
  if (!call || !check_call(lab, spec, inputs, *call, result)) return result;
  const AttentionResult expected = solve(spec.shape, drawn, reference::Keep::kOutput);
  const bool has_log_sum_exp = call->tensors.back().name == "L";
  const bool is_right =
      check_output(lab, spec.shape, drawn, expected, *call, result) &&
      (!has_log_sum_exp || check_log_sum_exp(lab, spec.shape, expected, *call, result));
  if (!is_right) look_for_findings(lab, spec, inputs, client, result);
  conclude(lab, spec, is_right, result);
  return result;
}

}  // namespace flashlab::judge
