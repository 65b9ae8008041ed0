#include "measure/call.hpp"

namespace flashlab::judge {

const char* to_string(Call::Status status) {
  switch (status) {
    case Call::Status::kOk:
      return "ok";
    case Call::Status::kWrong:
      return "wrong";
    case Call::Status::kFailed:
      return "failed";
    case Call::Status::kError:
      break;
  }
  return "error";
}

Call judge_call(const Lab& lab, const CaseSpec& spec, const Problem& problem,
                const std::optional<CallResult>& answer, CaseResult& result,
                std::optional<size_t> rows, uint64_t seed) {
  Call call;
  const bool comparable = answer && check_call(lab, spec, problem.inputs(), *answer, result);
  call.meters = result.meters;
  call.output = result.output;
  if (!comparable) {
    call.status = result.status == Status::kError ? Call::Status::kError : Call::Status::kFailed;
    call.message = result.message;
    call.handout = result.handout;
    call.not_implemented = result.not_implemented;
    return call;
  }
  call.checked = problem.check(*answer, rows, seed);
  if (call.checked->ok()) return call;
  call.status = Call::Status::kWrong;
  call.message = call.checked->message;
  call.handout = lab.section("debugging");
  return call;
}

Call call_once(const Lab& lab, const CaseSpec& spec, uint64_t seed, std::optional<size_t> rows,
               Client& client) {
  const auto problem = make_problem(lab, spec, seed);
  CaseResult result;
  const auto answer = call_submission(lab, spec, problem->inputs(), client, result);
  return judge_call(lab, spec, *problem, answer, result, rows, seed);
}

}  // namespace flashlab::judge
