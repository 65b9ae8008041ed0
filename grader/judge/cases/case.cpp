#include "cases/case.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "points.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using protocol::CaseReply;
using protocol::CaseRequest;

std::vector<float> floats(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

void put(std::span<std::byte> region, const std::vector<float>& values) {
  std::memcpy(region.data(), values.data(), region.size());
}

const Kind& kind_of(const Lab& lab, const CaseSpec& spec) {
  return *find_kind(lab.entry(spec).kind);  // the loader has seen that there is one
}

CaseRequest make_request(const Lab& lab, const CaseSpec& spec, Layout& layout) {
  const Shape& shape = spec.shape;
  const Kind& kind = kind_of(lab, spec);
  CaseRequest request;
  request.kind = kind.entry;
  request.entry = static_cast<uint32_t>(spec.entry);
  request.batch = shape.batch;
  request.heads = shape.heads;
  request.seq_q = shape.seq_q;
  request.seq_k = shape.seq_k;
  request.head_dim = shape.head_dim;
  request.scale = shape.scale;
  request.causal = shape.causal ? 1 : 0;
  request.workspace_limit = lab.workspace_bytes;
  request.launch_seconds = lab.launch_seconds;
  for (const TensorSpec& spec_of_tensor : kind.tensors(shape)) {
    protocol::Tensor& tensor = request.tensors[request.tensor_count++];
    spec_of_tensor.name.copy(tensor.name, protocol::kNameBytes - 1);
    const uint64_t bytes = spec_of_tensor.elements * sizeof(float);
    if (spec_of_tensor.is_input) tensor.before = layout.take(bytes);
    tensor.after = layout.take(bytes);
  }
  request.guards = layout.take(2ull * protocol::kMaxBuffers * protocol::kGuardBytes);
  request.report = layout.take(protocol::kReportCapacity);
  size_t count = 0;
  for (const CaptureSpec& wanted : kind.captures(shape)) {
    protocol::Capture& capture = request.captures[count++];
    wanted.name.copy(capture.name, protocol::kNameBytes - 1);
    capture.span = layout.take(wanted.elements * sizeof(float));
  }
  return request;
}

std::span<protocol::Tensor> tensors_of(CaseRequest& request) {
  return std::span(request.tensors).first(request.tensor_count);
}

CallResult copy_out(CaseRequest& request, const CaseReply& reply, const SharedMemory& memory) {
  CallResult call;
  call.reply = reply;
  uint64_t tensor_bytes = 0;
  for (const protocol::Tensor& tensor : tensors_of(request)) {
    call.tensors.push_back({tensor.name, floats(memory.region(tensor.after))});
    tensor_bytes += tensor.after.bytes;
  }
  const auto guards = memory.region(request.guards);
  call.guards.assign(guards.begin(), guards.end());
  for (size_t c = 0; c < protocol::kMaxCaptures; ++c) {
    call.captures.push_back(reply.captured[c] == 1 ? floats(memory.region(request.captures[c].span))
                                                   : std::vector<float>());
  }
  if (reply.report_bytes >= protocol::kReportCapacity) {
    throw std::runtime_error("more launches than the grader can record");
  }
  const auto report = memory.region(request.report).first(reply.report_bytes);
  const std::string text(reinterpret_cast<const char*>(report.data()), report.size());
  call.meters = read_meters(reply, text, tensor_bytes);
  return call;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// The first error among what was returned, left behind and found at synchronisation: "cudaErrorX,
/// returned by ...".
std::string describe_error(const CaseReply& reply) {
  const struct {
    const protocol::ErrorRecord& error;
    const char* where;
  } stages[] = {{reply.synchronise, "found by cudaDeviceSynchronize after the call"},
                {reply.returned, "returned by the entry point"},
                {reply.last_error, "left in cudaGetLastError after the call"}};
  for (const auto& [error, where] : stages) {
    if (error.code != cudaSuccess) {
      return format("%s (%d), %s", printable(error.name).c_str(), error.code, where);
    }
  }
  return "";
}

/// Names the first buffer with a guard band that was written to.
std::string find_broken_guard(const CallResult& call) {
  if (call.reply.guards_present == 0) return "";
  for (size_t band = 0; band < 2 * static_cast<size_t>(call.reply.buffer_count); ++band) {
    const auto begin = call.guards.begin() + static_cast<ptrdiff_t>(band * protocol::kGuardBytes);
    const bool intact = std::all_of(begin, begin + protocol::kGuardBytes, [](std::byte byte) {
      return byte == std::byte{protocol::kGuardByte};
    });
    if (!intact) {
      return format("memory just %s buffer %s was overwritten", band % 2 == 0 ? "before" : "behind",
                    printable(call.reply.buffers[band / 2].name).c_str());
    }
  }
  return "";
}

/// What shows that the host computed the outputs; empty when nothing does.
std::string describe_host_work(const Lab& lab, const std::vector<Input>& inputs,
                               const CallResult& call) {
  double values = 0, results = 0;
  for (const Input& tensor : call.tensors) {
    values += static_cast<double>(tensor.values.size());
    const bool is_input = std::ranges::find(inputs, tensor.name, &Input::name) != inputs.end();
    if (!is_input) results += static_cast<double>(tensor.values.size());
  }
  const double threads = call.meters.find("launched_threads").value_or(0);
  const double copied = call.meters.find("host_copy_bytes").value_or(0);  // unknown on a real GPU
  if (results > threads * lab.results_per_thread) {
    return format("The kernels had %s threads in all for %s results", with_commas(threads).c_str(),
                  with_commas(results).c_str());
  }
  if (copied > static_cast<double>(lab.host_copy_bytes) && copied >= values * sizeof(float)) {
    return format(
        "%s bytes were copied between the host and the device, as many as all tensors have",
        with_commas(copied).c_str());
  }
  return "";
}

/// The first finding, and how many there are.
std::string describe_findings(const std::vector<std::string>& findings) {
  std::string text = printable(findings.front());
  if (findings.size() > 1) text += format("\n... and %zu more findings", findings.size() - 1);
  return text;
}

}  // namespace

const std::vector<float>& CallResult::after(const std::string& name) const {
  const auto found = std::ranges::find(tensors, name, &Input::name);
  if (found == tensors.end()) throw std::out_of_range("no tensor " + name);
  return found->values;
}

size_t memory_needed(const Lab& lab, const CaseSpec& spec) {
  Layout layout;
  make_request(lab, spec, layout);
  return layout.used();
}

ErrorSummary summary(const Comparison& comparison) {
  return {comparison.max_abs_error, comparison.max_rel_error, comparison.bound.absolute,
          comparison.wrong,         comparison.not_finite,    comparison.unwritten,
          comparison.total};
}

void fail(CaseResult& result, std::string message, const std::string& handout) {
  result.status = Status::kFailed;
  result.message = std::move(message);
  result.handout = handout;
}

namespace {

/// One attempt: fills the shared memory and runs the request.
Outcome send_request(const std::vector<Input>& inputs, CaseRequest& request, double seconds,
                     Client& client, CaseReply& reply, CallTime* time) {
  const SharedMemory& memory = client.memory();
  auto input = inputs.begin();
  for (const protocol::Tensor& tensor : tensors_of(request)) {
    if (tensor.before.bytes > 0) put(memory.region(tensor.before), (input++)->values);
    // An answer without a result must not find an earlier one.
    std::ranges::fill(memory.region(tensor.after), std::byte{protocol::kPoison & 0xFF});
  }
  reply = {};
  return client.run(request, reply, seconds, time);
}

}  // namespace

std::optional<CallResult> call_submission(const Lab& lab, const CaseSpec& spec,
                                          const std::vector<Input>& inputs, Client& client,
                                          CaseResult& result, CallTime* time) {
  const std::string& handout = lab.section("debugging");
  const WorkerMode mode = spec.checks  ? WorkerMode::kChecks
                          : spec.speed ? WorkerMode::kResources
                                       : WorkerMode::kPlain;
  Layout layout;
  CaseRequest request = make_request(lab, spec, layout);
  CaseReply reply;
  Outcome outcome;
  for (bool again = true; again;) {
    if (const auto reason = client.ready(mode)) {
      fail(result, *reason, handout);
      result.crashed = true;
      return std::nullopt;
    }
    const bool was_used = client.is_used();
    outcome = send_request(inputs, request, lab.case_seconds, client, reply, time);
    result.output = client.take_output();
    // What an earlier call has left running may have broken the device: that is not this call's.
    again = was_used && outcome.answered() && reply.status == protocol::CallStatus::kSetupFailed;
  }
  if (!outcome.answered()) {
    fail(result, describe(outcome, lab.case_seconds), handout);
    result.crashed = true;
    result.timed_out = outcome.kind == Outcome::Kind::kTimeout;
    return std::nullopt;
  }
  try {
    return copy_out(request, reply, client.memory());
  } catch (const std::runtime_error& error) {
    fail(result, std::string("The counts of this case cannot be read: ") + error.what(), handout);
    return std::nullopt;
  }
}

bool check_call(const Lab& lab, const CaseSpec& spec, const std::vector<Input>& inputs,
                const CallResult& call, CaseResult& result) {
  const CaseReply& reply = call.reply;
  const std::string& handout = lab.section("debugging");
  const bool launched = call.meters.find("launches").value_or(0) > 0;
  result.meters = call.meters;

  if (reply.status == protocol::CallStatus::kSetupFailed) {
    result.status = Status::kError;
    result.message = "the grader could not prepare this case: " + printable(reply.text);
    return false;
  }
  if (reply.status == protocol::CallStatus::kThrew) {
    fail(result, "the entry point threw an exception: " + printable(reply.text), handout);
    return false;
  }
  if (reply.returned.code == cudaErrorNotYetImplemented) {
    const std::string& what = lab.entries.size() == 1 ? lab.id : lab.entry(spec).name;
    fail(result, what + " is not implemented yet: " + lab.section("not_implemented"),
         lab.section("not_implemented"));
    result.not_implemented = true;
    return false;
  }
  if (const std::string error = describe_error(reply); !error.empty()) {
    std::string message = error;
    if (call.meters.fault) {
      message = printable(call.meters.fault->report) + "\n" + error;
    } else if (reply.refused_allocations > 0) {
      message += format(
          ". The workspace refused %u of your requests: it has %s bytes, in at most %u buffers.",
          reply.refused_allocations, with_commas(static_cast<double>(lab.workspace_bytes)).c_str(),
          protocol::kMaxBuffers - static_cast<uint32_t>(call.tensors.size()));
    }
    fail(result, message, handout);
    result.timed_out = reply.synchronise.code == cudaErrorLaunchTimeout;
    // What the virtual GPU cannot do is not the student's fault.
    if (reply.synchronise.code == cudaErrorNotSupported) result.status = Status::kError;
    return false;
  }
  if (!launched) {
    // The first output that was never written, if there is one.
    const auto untouched = std::ranges::find_if(call.tensors, [](const Input& tensor) {
      return std::ranges::all_of(tensor.values, is_poison);
    });
    fail(result,
         untouched != call.tensors.end()
             ? "No kernel was launched, and " + untouched->name + " was never written."
             : "No kernel was launched: the work must be done on the device.",
         lab.section(kind_of(lab, spec).topics.front()));
    return false;
  }
  if (const std::string work = describe_host_work(lab, inputs, call); !work.empty()) {
    fail(result, work + ": the work must be done on the device.",
         lab.section(kind_of(lab, spec).topics.front()));
    return false;
  }
  if (reply.outputs_copied != 1) {
    fail(result, "The call left no result.", handout);
    return false;
  }
  for (const Input& input : inputs) {
    if (same_bits(input.values, call.after(input.name))) continue;
    fail(result,
         "The input " + input.name +
             " was changed. Inputs are const: write to the outputs and the workspace only.",
         handout);
    return false;
  }
  if (const std::string broken = find_broken_guard(call); !broken.empty()) {
    fail(result, "Out of bounds: " + broken + ". Guard the stores; `--device vgpu` names the line.",
         handout);
    return false;
  }
  if (!call.meters.findings.empty()) {
    fail(result, describe_findings(call.meters.findings), lab.section(spec.group));
    return false;
  }
  return true;
}

void look_for_findings(const Lab& lab, const CaseSpec& spec, const std::vector<Input>& inputs,
                       Client& client, CaseResult& result) {
  // NaN and zeros have many causes, so what was said about them is a guess.
  static constexpr const char* kUnexplained[] = {kUnknownCause, "not_finite", "all_zero",
                                                 "missing_max", "underflow",  "empty_rows",
                                                 "overflow",    "not_zeroed"};
  const auto instructions = result.meters.find("lane_instructions");  // a real GPU counts none
  const bool explained =
      !result.diagnosis ||
      std::ranges::find(kUnexplained, result.diagnosis->cause) == std::end(kUnexplained);
  if (explained || spec.checks || !instructions ||
      *instructions > lab.diagnosis.checked_instructions) {
    return;
  }
  CaseSpec checked = spec;
  checked.checks = true;
  CaseResult second;
  const auto call = call_submission(lab, checked, inputs, client, second);
  if (!call || call->meters.findings.empty()) return;
  result.diagnosis->cause = "finding";
  result.diagnosis->text = "With its checks on, the virtual GPU finds the cause: " +
                           describe_findings(call->meters.findings);
  result.message += "\n" + result.diagnosis->text;
}

void conclude(const Lab& lab, const CaseSpec& spec, bool is_right, CaseResult& result) {
  if (!is_right) {
    const bool explained = result.diagnosis && result.diagnosis->cause != kUnknownCause;
    if (!explained && !spec.hint.empty()) result.message += "\nThis case: " + spec.hint + ".";
    if (spec.grades_result()) return;
    result.status = Status::kSkipped;
    result.message = "not graded until the result is right:\n" + result.message;
    return;
  }
  if (const auto broken = find_broken_limit(spec, result.meters)) {
    fail(result, *broken, lab.section(spec.group));
    return;
  }
  result.status = Status::kPassed;
  result.points = result.max_points;
}

CaseGrader find_grader(const Lab& lab, const CaseSpec& spec) {
  switch (kind_of(lab, spec).entry) {
    case protocol::EntryKind::kAttentionForward:
    case protocol::EntryKind::kAttentionForwardLse:
      return grade_attention;
    case protocol::EntryKind::kAttentionBackward:
      return grade_attention_backward;
    case protocol::EntryKind::kMergeStates:
      return grade_merge;
    case protocol::EntryKind::kRowStatistics:
      return grade_row_statistics;
    case protocol::EntryKind::kRowSoftmax:
      break;
  }
  return grade_row_softmax;
}

}  // namespace flashlab::judge
