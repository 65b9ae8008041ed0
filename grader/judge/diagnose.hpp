// From a wrong result to its likely cause. Each rule is a small function over what was expected and
// what came.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compare.hpp"
#include "inputs.hpp"
#include "lab.hpp"
#include "reference/attention.hpp"

namespace flashlab::judge {

/// Everything that a rule may look at. Only built when a result is wrong.
struct Evidence {
  const Lab& lab;
  const Shape& shape;
  const Inputs& inputs;
  const reference::AttentionResult& expected;  ///< with S and P
  std::span<const float> O;                    ///< [batch, heads, seq_q, head_dim], what came
  std::span<const float> S, P;   ///< from the workspace; empty when it has no such buffer
  const Comparison& comparison;  ///< of O
};

struct Diagnosis {
  std::string cause;  ///< a slug, as in "wrong_scale"
  std::string text;   ///< what it looks like and what to try
  std::string topic;  ///< key of Lab::sections
};

inline constexpr const char* kUnknownCause = "unknown";

/// The first rule that explains the result; kUnknownCause with the place of the errors when none
/// does.
Diagnosis diagnose(const Evidence& evidence);

/// Like Evidence, for a wrong L where O is right.
struct LogSumExpEvidence {
  const Lab& lab;
  const Shape& shape;
  const reference::AttentionResult& expected;
  std::span<const float> L;  ///< [batch, heads, seq_q], what came
  const Comparison& comparison;
};

/// Why L is wrong (diagnose_lse.cpp).
Diagnosis diagnose_log_sum_exp(const LogSumExpEvidence& evidence);

/// Rules by where the wrong elements are and what they hold (patterns.cpp). Nothing when they do
/// not apply.
std::optional<Diagnosis> diagnose_unwritten(const Evidence& evidence);
std::optional<Diagnosis> diagnose_masked_rows(const Evidence& evidence);
std::optional<Diagnosis> diagnose_underflow(const Evidence& evidence);
std::optional<Diagnosis> diagnose_zero(const Evidence& evidence);
std::optional<Diagnosis> diagnose_not_finite(const Evidence& evidence);
std::optional<Diagnosis> diagnose_lost_precision(const Evidence& evidence);
/// Compares S and P of the workspace: which of the three stages is the first that is wrong?
std::optional<Diagnosis> diagnose_stage(const Evidence& evidence);
/// Where the wrong elements lie, as in "only rows 128 to 129"; empty when they are everywhere.
std::string describe_region(const Evidence& evidence);

/// The same for any tensor [batch, heads, shape.seq_q, shape.head_dim].
std::string describe_region(const Shape& shape, const std::vector<bool>& is_bad);

/// For a result that nothing was added to: what a loop over N / tile whole tiles does when N is
/// less than the lab's smallest tile. Empty for larger N.
std::string describe_no_tile(const Lab& lab, const Shape& shape);

/// Rules by computing what a wrong formula would give (diagnose_formula.cpp).
std::optional<Diagnosis> diagnose_formula(const Evidence& evidence);

}  // namespace flashlab::judge
