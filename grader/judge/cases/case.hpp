// What every lab's cases share: one call of the submission, and the checks that come before any
// number is compared.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/client.hpp"
#include "inputs.hpp"
#include "lab.hpp"
#include "result.hpp"

namespace flashlab::judge {

/// What one call left behind, copied out of the shared memory: the submission cannot change it any
/// more.
struct CallResult {
  protocol::CaseReply reply;
  Meters meters;
  std::vector<float> O;
  std::vector<float> q_after, k_after, v_after;
  std::vector<std::vector<float>> captures;  ///< in the order asked for; empty when not found
  std::vector<std::byte> guards;
};

/// A workspace buffer to copy back.
struct CaptureSpec {
  std::string name;
  size_t elements;  ///< float32
};

/// Shared memory that a case of this shape needs, in bytes.
size_t memory_needed(const Shape& shape);

/// Runs an attention case on the worker. When there is no result to look at (crash, hang, broken
/// protocol) it writes the reason into `result` and returns nothing.
std::optional<CallResult> call_attention(const Lab& lab, const CaseSpec& spec, const Inputs& inputs,
                                         const std::vector<CaptureSpec>& captures, Client& client,
                                         CaseResult& result);

/// Checks of the call itself: errors, faults of the device, no launch, changed inputs, broken
/// guards. Returns true when the numbers may be compared; otherwise `result` holds the verdict.
bool check_call(const Lab& lab, const Inputs& inputs, const CallResult& call, CaseResult& result);

/// Fails a case.
void fail(CaseResult& result, std::string message, const std::string& handout);

/// Grades one case of a lab.
using CaseGrader = std::function<CaseResult(const Lab&, const CaseSpec&, uint64_t seed, Client&)>;

/// The grader of a lab's cases, by the lab's kind. Throws EnvironmentError for an unknown kind.
CaseGrader find_grader(const Lab& lab);

CaseResult grade_lab1(const Lab& lab, const CaseSpec& spec, uint64_t seed, Client& client);

}  // namespace flashlab::judge
