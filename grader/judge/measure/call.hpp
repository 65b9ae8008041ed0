// One call of a submission on the virtual GPU: exact counts, the modelled time, and whether it was
// right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measure/problem.hpp"

namespace flashlab::judge {

/// What a call of a submission came to.
struct Call {
  enum class Status {
    kOk,
    kWrong,   ///< it answered, but not rightly
    kFailed,  ///< crash, hang, error or fault
    kError,   ///< the grader's fault
  };
  Status status = Status::kOk;
  std::string message;           ///< why not, for people
  std::string handout;           ///< where to read about it
  std::string output;            ///< what the submission printed
  bool not_implemented = false;  ///< the stub as handed out
  Meters meters;
  std::optional<Checked> checked;  ///< when there were outputs to look at
};
const char* to_string(Call::Status status);

/// What came of a call that call_submission made: `answer` and `result` are what it left. Compares
/// `rows` rows, drawn from `seed`, or all.
Call judge_call(const Lab& lab, const CaseSpec& spec, const Problem& problem,
                const std::optional<CallResult>& answer, CaseResult& result,
                std::optional<size_t> rows, uint64_t seed);

/// Draws the inputs of `spec` from `seed`, calls the submission with them once and compares `rows`
/// rows of the outputs, or all.
Call call_once(const Lab& lab, const CaseSpec& spec, uint64_t seed, std::optional<size_t> rows,
               Client& client);

}  // namespace flashlab::judge
