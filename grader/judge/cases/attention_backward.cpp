// Attention backward: dV, dK and dQ, in this order, against the float64 reference; limits on memory
// and traffic.
#include "cases/case.hpp"
#include "diagnose_gradient.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

std::vector<float> rounded(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

/// Compares the gradients; explains the first wrong one in `result`. dV needs P alone, dK and dQ
/// need dS too: the first that is wrong is nearest to the fault.
bool check_gradients(const Lab& lab, const Shape& shape, const BackwardStandard& standard,
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
    evidence.comparison = compare(evidence.got, evidence.right(name),
                                  gradient_bound(lab.tolerance, shape, standard, name));
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
  const BackwardStandard standard = make_backward_standard(spec, seed);
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
