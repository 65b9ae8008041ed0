// What every lab's cases share: one call of the submission, and the checks that come before any
// number is compared.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bounds.hpp"
#include "client/client.hpp"
#include "kinds.hpp"
#include "lab.hpp"
#include "result.hpp"

namespace flashlab::judge {

/// A tensor that goes into a call.
struct Input {
  std::string name;
  std::vector<float> values;
};

/// What one call left behind, copied out of the shared memory: the submission cannot change it any
/// more.
struct CallResult {
  protocol::CaseReply reply;
  Meters meters;
  std::vector<Input> tensors;                ///< every parameter after the call, in their order
  std::vector<std::vector<float>> captures;  ///< in the order of the kind; empty when not found
  std::vector<std::byte> guards;

  /// The parameter of this name. Throws std::out_of_range.
  const std::vector<float>& after(const std::string& name) const;
};

/// Shared memory that a case needs, in bytes.
size_t memory_needed(const Lab& lab, const CaseSpec& spec);

/// Runs a case on the worker; `inputs` are the input tensors of its kind, in their order. When
/// there is no result to look at (crash, hang, broken protocol) it writes the reason into `result`
/// and returns nothing. With `time`, the call's time is taken.
std::optional<CallResult> call_submission(const Lab& lab, const CaseSpec& spec,
                                          const std::vector<Input>& inputs, Client& client,
                                          CaseResult& result, CallTime* time = nullptr);

/// Checks of the call itself: errors, faults and findings of the device, no launch, changed inputs,
/// broken guards. Returns true when the numbers may be compared; otherwise `result` holds the
/// verdict.
bool check_call(const Lab& lab, const CaseSpec& spec, const std::vector<Input>& inputs,
                const CallResult& call, CaseResult& result);

/// How far a tensor is from what it should be, as the result file has it.
ErrorSummary summary(const Comparison& comparison);

/// Fails a case.
void fail(CaseResult& result, std::string message, const std::string& handout);

/// When the numbers were wrong and no rule named the cause, runs the case once more with the checks
/// of the virtual GPU, if it is small enough for them, and adds what they find to `result`: a race
/// shows as wrong numbers that follow no formula.
void look_for_findings(const Lab& lab, const CaseSpec& spec, const std::vector<Input>& inputs,
                       Client& client, CaseResult& result);

/// The last step of a case. `is_right` says whether the numbers were right; when they were not,
/// `result` holds the reason already. A case that grades something else (a limit, the checks) is
/// graded now, or skipped when the numbers were wrong: what a wrong result took says nothing.
void conclude(const Lab& lab, const CaseSpec& spec, bool is_right, CaseResult& result);

/// Grades a speed case. `baseline` runs the staff's library on a real GPU; without it the case is
/// skipped there and costs nothing.
CaseResult grade_speed(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client,
                       Client* baseline);
/// What students' trees, which hold no staff kernel, give on a real GPU: skipped, and no points to
/// be had.
CaseResult speed_without_staff(const CaseSpec& spec);

/// Grades one case of a lab.
using CaseGrader = CaseResult (*)(const Lab&, const CaseSpec&, uint64_t seed, Client&);

/// The grader of a case, by the kind of its entry point.
CaseGrader find_grader(const Lab& lab, const CaseSpec& spec);

CaseResult grade_attention(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client);
CaseResult grade_attention_backward(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                                    Client& client);
CaseResult grade_merge(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client);
CaseResult grade_row_statistics(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                                Client& client);
CaseResult grade_row_softmax(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client);

}  // namespace flashlab::judge
