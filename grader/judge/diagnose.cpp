#include "diagnose.hpp"

namespace flashlab::judge {

Diagnosis diagnose(const Evidence& evidence) {
  constexpr std::optional<Diagnosis> (*kRules[])(const Evidence&) = {
      diagnose_unwritten,  diagnose_masked_rows, diagnose_underflow,      diagnose_zero,
      diagnose_not_finite, diagnose_formula,     diagnose_lost_precision, diagnose_stage};
  for (const auto rule : kRules) {
    if (std::optional<Diagnosis> found = rule(evidence)) return *found;
  }
  const std::string region = describe_region(evidence);
  return {
      kUnknownCause,
      region.empty()
          ? "The wrong elements are spread over the whole result: run the smallest failing case, "
            "print one row, and compare it by hand."
          : "Wrong elements: " + region + ". Look at the index arithmetic there.",
      "debugging"};
}

}  // namespace flashlab::judge
