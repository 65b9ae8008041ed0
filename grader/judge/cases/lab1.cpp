// Lab 1, naive attention: O against the float64 reference, S and P of the workspace as evidence,
// limits on memory and traffic.
#include "cases/case.hpp"
#include "compare.hpp"
#include "diagnose.hpp"
#include "points.hpp"
#include "reference/attention.hpp"

namespace flashlab::judge {
namespace {

using reference::AttentionResult;

AttentionResult solve(const Shape& shape, const Inputs& inputs, reference::Keep keep) {
  const reference::AttentionShape exact{shape.batch, shape.heads,    shape.heads, shape.seq_q,
                                        shape.seq_k, shape.head_dim, shape.scale, false};
  return reference::attention_forward(exact, std::span<const float>(inputs.Q),
                                      std::span<const float>(inputs.K),
                                      std::span<const float>(inputs.V), keep);
}

/// Compares O; on failure explains it in `result`.
bool check_output(const Lab& lab, const CaseSpec& spec, const Inputs& inputs,
                  const CallResult& call, CaseResult& result) {
  const Shape& shape = spec.shape;
  const AttentionResult expected = solve(shape, inputs, reference::Keep::kOutput);
  const Comparison comparison =
      compare(call.O, expected.O,
              error_bound(lab.tolerance, expected.max_abs_score, expected.max_abs_value));
  result.error =
      ErrorSummary{comparison.max_abs_error, comparison.max_rel_error, comparison.bound.absolute,
                   comparison.wrong,         comparison.not_finite,    comparison.unwritten,
                   comparison.total};
  if (comparison.ok()) return true;
  const AttentionResult full = solve(shape, inputs, reference::Keep::kScoresAndProbabilities);
  result.diagnosis =
      diagnose({lab, shape, inputs, full, call.O, call.captures[0], call.captures[1], comparison});
  fail(result, describe_mismatches(comparison, shape) + "\n" + result.diagnosis->text,
       lab.section(result.diagnosis->topic));
  return false;
}

void check_limits(const Lab& lab, const CaseSpec& spec, CaseResult& result) {
  if (const auto broken = find_broken_limit(spec, result.meters)) {
    fail(result, *broken, lab.section(spec.group));
    return;
  }
  result.status = Status::kPassed;
  result.points = result.max_points;
}

}  // namespace

CaseResult grade_lab1(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client) {
  CaseResult result;
  result.max_points = spec.points;
  const Inputs inputs = draw_inputs(spec, seed);
  const std::vector<CaptureSpec> captures = {{"S", spec.shape.scores()},
                                             {"P", spec.shape.scores()}};
  const auto call = call_attention(lab, spec, inputs, captures, client, result);
  if (!call || !check_call(lab, inputs, *call, result)) return result;
  if (check_output(lab, spec, inputs, *call, result)) {
    check_limits(lab, spec, result);
  } else if (!spec.limits.empty()) {  // memory and traffic of a wrong result say nothing
    result.status = Status::kSkipped;
    result.message = "not graded until the result is right:\n" + result.message;
  }
  return result;
}

}  // namespace flashlab::judge
