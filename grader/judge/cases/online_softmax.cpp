// Lab 2: merged states, row statistics and row softmax against the float64 reference.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "cases/case.hpp"
#include "compare.hpp"
#include "online_states.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

/// exp(x) of a float32 is infinite above this, and zero below the second (denormals included).
const double kOverflow = std::log(std::numeric_limits<float>::max());
const double kUnderflow = std::log(std::numeric_limits<float>::denorm_min());

/// An output with what it should be and how exactly.
struct Expected {
  std::string name;
  std::vector<double> values;
  size_t columns;  ///< elements of a row
  ErrorBound bound;
};

double largest(const std::vector<double>& values) {
  double size = 0;
  for (const double value : values) size = std::max(size, std::abs(value));
  return size;
}

/// Whether `values` are what came, up to some times the bound, and not what is expected.
bool explains(const Lab& lab, const Expected& expected, std::span<const float> got,
              const std::vector<double>& values, bool& differs) {
  ErrorBound bound = expected.bound;
  bound.absolute *= lab.diagnosis.match_factor;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!bound.holds(got[i], values[i])) return false;
  }
  differs = differs || !std::ranges::equal(values, expected.values,
                                           [&](double a, double b) { return bound.holds(a, b); });
  return true;
}

using Outputs = std::vector<std::vector<double>>;

/// What there is to judge one call by.
struct Standard {
  const char* topic;                                 ///< of the handout
  std::vector<Expected> outputs;                     ///< in the order of the parameters
  std::vector<double> row_max;                       ///< largest score of each row
  std::vector<StateHypothesis> hypotheses;           ///< wrong formulas
  std::function<Outputs(const RowStates&)> predict;  ///< outputs, from their states
};

/// NaN or infinity: only in rows without a key, or where exp overflows or vanishes?
Diagnosis diagnose_not_finite(const Standard& standard, const Expected& output,
                              const Comparison& comparison) {
  const auto only_where = [&](auto condition) {
    for (size_t i = 0; i < comparison.is_wrong.size(); ++i) {
      if (comparison.is_wrong[i] && !condition(standard.row_max[i / output.columns])) return false;
    }
    return true;
  };
  if (only_where([](double m) { return std::isinf(m); })) {
    return {"empty_rows",
            output.name +
                " is NaN only in rows without a score above -INFINITY. exp(-inf + inf) is NaN: "
                "handle m = -INFINITY first.",
            standard.topic};
  }
  if (only_where([](double m) { return m > kOverflow || m < kUnderflow; })) {
    return {"missing_max",
            output.name +
                format(" is NaN or infinite only in rows whose largest score is above %.1f or "
                       "below %.1f, where exp is infinite or 0. Subtract the maximum before exp.",
                       kOverflow, kUnderflow),
            standard.topic};
  }
  return {"not_finite",
          output.name +
              " has NaN or infinite elements. Is exp(-inf + inf), which is NaN, avoided when "
              "both sides have no key, and is everything that is read written before?",
          standard.topic};
}

/// Zeros where there should be none: every exp vanishes, or l is not a number.
std::optional<Diagnosis> diagnose_zero(const CallResult& call, const Standard& standard,
                                       const Expected& output, const Comparison& comparison) {
  if (output.name.starts_with("m")) return std::nullopt;  // 0 is a score like others
  const std::vector<float>& got = call.after(output.name);
  bool vanishes = true;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!comparison.is_wrong[i]) continue;
    if (got[i] != 0) return std::nullopt;
    vanishes = vanishes && standard.row_max[i / output.columns] < kUnderflow;
  }
  if (vanishes) {
    return Diagnosis{
        "underflow",
        output.name + format(" is 0 where all scores of a row are below %.1f: every exp is 0. "
                             "Subtract the row's maximum, and start the search for it at "
                             "-INFINITY, not at 0.",
                             kUnderflow),
        standard.topic};
  }
  return Diagnosis{"all_zero",
                   output.name +
                       " is 0 where it should not be: is l NaN or infinite there, or is the "
                       "value not stored?",
                   standard.topic};
}

Diagnosis diagnose(const Lab& lab, const CallResult& call, const Standard& standard,
                   const Expected& output, const Comparison& comparison) {
  if (comparison.unwritten > 0) {
    return {"unwritten",
            format("%zu of %zu elements of %s were never written.", comparison.unwritten,
                   comparison.total, output.name.c_str()),
            standard.topic};
  }
  if (const auto zero = diagnose_zero(call, standard, output, comparison)) return *zero;
  for (const StateHypothesis& hypothesis : standard.hypotheses) {
    const auto predicted = standard.predict(hypothesis.states());
    bool all = true, differs = false;
    for (size_t i = 0; i < standard.outputs.size() && all; ++i) {
      const Expected& expected = standard.outputs[i];
      all = explains(lab, expected, call.after(expected.name), predicted[i], differs);
    }
    if (all && differs)
      return {hypothesis.cause, "This is what comes when " + hypothesis.text, standard.topic};
  }
  if (comparison.not_finite > 0) return diagnose_not_finite(standard, output, comparison);
  return {
      kUnknownCause,
      "No known mistake explains this. Run the smallest failing case and compare one row by hand.",
      standard.topic};
}

/// Compares every output; on failure explains the first wrong one in `result`.
bool check_outputs(const Lab& lab, const CallResult& call, const Standard& standard,
                   CaseResult& result) {
  for (const Expected& output : standard.outputs) {
    const Comparison comparison = compare(call.after(output.name), output.values, output.bound);
    result.error = ErrorSummary{
        comparison.max_abs_error, comparison.max_rel_error, output.bound.absolute, comparison.wrong,
        comparison.not_finite,    comparison.unwritten,     comparison.total};
    if (comparison.ok()) continue;
    const auto where = [&](size_t index) {
      const size_t row = index / output.columns;
      return output.columns == 1
                 ? format("%s[row=%zu]", output.name.c_str(), row)
                 : format("%s[row=%zu, %zu]", output.name.c_str(), row, index % output.columns);
    };
    result.diagnosis = diagnose(lab, call, standard, output, comparison);
    fail(result,
         describe_mismatches(comparison, output.name, where) + "\n" + result.diagnosis->text,
         lab.section(standard.topic));
    return false;
  }
  return true;
}

/// Grades one case: `standard` is made once the call has left something to compare.
CaseResult grade(const Lab& lab, const CaseSpec& spec, const std::vector<Input>& inputs,
                 Client& client, const std::function<Standard()>& standard) {
  CaseResult result;
  result.max_points = spec.points;
  const auto call = call_submission(lab, spec, inputs, client, result);
  if (call && check_call(lab, spec, inputs, *call, result)) {
    const bool is_right = check_outputs(lab, *call, standard(), result);
    if (!is_right) look_for_findings(lab, spec, inputs, client, result);
    conclude(lab, spec, is_right, result);
  }
  return result;
}

}  // namespace

CaseResult grade_merge(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client) {
  const Shape& shape = spec.shape;
  const PartialStates parts = draw_states(spec, seed);
  const std::vector<Input> inputs = {{"m", parts.m}, {"l", parts.l}, {"o", parts.o}};
  return grade(lab, spec, inputs, client, [&]() -> Standard {
    const RowStates right = merge_parts(shape, parts);
    const ErrorBound bound = online_bound(lab.tolerance, parts.m);
    const ErrorBound o_bound = online_bound(lab.tolerance, parts.m, largest(right.o));
    return {"merge",
            {{"m_out", right.m, 1, maximum_bound(lab.tolerance)},
             {"l_out", right.l, 1, bound},
             {"o_out", right.o, static_cast<size_t>(shape.head_dim), o_bound}},
            right.m,
            merge_hypotheses(shape, parts),
            [](const RowStates& states) -> Outputs {
              return {states.m, states.l, states.o};
            }};
  });
}

CaseResult grade_row_statistics(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                                Client& client) {
  const std::vector<float> S = draw_scores(spec, seed);
  return grade(lab, spec, {{"S", S}}, client, [&]() -> Standard {
    const RowStates right = state_of_rows(spec.shape, S);
    const ErrorBound bound = online_bound(lab.tolerance, S);
    return {"statistics",
            {{"m", right.m, 1, maximum_bound(lab.tolerance)}, {"l", right.l, 1, bound}},
            right.m,
            row_hypotheses(spec.shape, S),
            [](const RowStates& states) -> Outputs {
              return {states.m, states.l};
            }};
  });
}

CaseResult grade_row_softmax(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client) {
  const Shape& shape = spec.shape;
  const std::vector<float> S = draw_scores(spec, seed);
  return grade(lab, spec, {{"S", S}}, client, [&]() -> Standard {
    const RowStates right = state_of_rows(shape, S);
    std::vector<StateHypothesis> hypotheses = row_hypotheses(shape, S);
    const StateHypothesis not_normalised = {"not_normalised", "P is not divided by l.", [right] {
                                              RowStates states = right;
                                              std::ranges::fill(states.l, 1.0);
                                              return states;
                                            }};
    hypotheses.insert(hypotheses.begin(), not_normalised);
    return {"softmax",
            {{"P", probabilities(shape, S, right), static_cast<size_t>(shape.seq_k),
              online_bound(lab.tolerance, S)}},
            right.m,
            hypotheses,
            [&](const RowStates& states) -> Outputs { return {probabilities(shape, S, states)}; }};
  });
}

}  // namespace flashlab::judge
