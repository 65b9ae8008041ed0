#include "cases/case.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "compare.hpp"
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

CaseRequest make_request(const Lab& lab, const Shape& shape,
                         const std::vector<CaptureSpec>& captures, Layout& layout) {
  CaseRequest request;
  request.kind = protocol::EntryKind::kAttentionForward;
  request.batch = shape.batch;
  request.heads = shape.heads;
  request.seq_q = shape.seq_q;
  request.seq_k = shape.seq_k;
  request.head_dim = shape.head_dim;
  request.scale = shape.scale;
  request.workspace_limit = lab.workspace_bytes;
  request.launch_seconds = lab.launch_seconds;
  const uint64_t q_bytes = shape.q_elements() * sizeof(float);
  const uint64_t k_bytes = shape.k_elements() * sizeof(float);
  for (protocol::Span* span : {&request.q, &request.o, &request.q_after})
    *span = layout.take(q_bytes);
  for (protocol::Span* span : {&request.k, &request.v, &request.k_after, &request.v_after}) {
    *span = layout.take(k_bytes);
  }
  request.guards = layout.take(2ull * protocol::kMaxBuffers * protocol::kGuardBytes);
  request.report = layout.take(protocol::kReportCapacity);
  for (size_t c = 0; c < captures.size(); ++c) {
    captures[c].name.copy(request.captures[c].name, protocol::kNameBytes - 1);
    request.captures[c].span = layout.take(captures[c].elements * sizeof(float));
  }
  return request;
}

CallResult copy_out(const CaseRequest& request, const CaseReply& reply, const SharedMemory& memory,
                    const Shape& shape) {
  CallResult call;
  call.reply = reply;
  call.O = floats(memory.region(request.o));
  call.q_after = floats(memory.region(request.q_after));
  call.k_after = floats(memory.region(request.k_after));
  call.v_after = floats(memory.region(request.v_after));
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
  call.meters = read_meters(reply, text, shape);
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

}  // namespace

size_t memory_needed(const Shape& shape) {
  Layout layout;
  make_request(Lab(), shape, {{"S", shape.scores()}, {"P", shape.scores()}}, layout);
  return layout.used();
}

void fail(CaseResult& result, std::string message, const std::string& handout) {
  result.status = Status::kFailed;
  result.message = std::move(message);
  result.handout = handout;
}

std::optional<CallResult> call_attention(const Lab& lab, const CaseSpec& spec, const Inputs& inputs,
                                         const std::vector<CaptureSpec>& captures, Client& client,
                                         CaseResult& result) {
  const std::string& handout = lab.section("debugging");
  if (const auto reason = client.ready()) {
    fail(result, *reason, handout);
    result.crashed = true;
    return std::nullopt;
  }
  Layout layout;
  CaseRequest request = make_request(lab, spec.shape, captures, layout);
  const SharedMemory& memory = client.memory();
  put(memory.region(request.q), inputs.Q);
  put(memory.region(request.k), inputs.K);
  put(memory.region(request.v), inputs.V);
  // An answer without a result must not find an earlier one.
  for (const protocol::Span& span :
       {request.o, request.q_after, request.k_after, request.v_after}) {
    std::ranges::fill(memory.region(span), std::byte{protocol::kPoison & 0xFF});
  }
  CaseReply reply;
  const Outcome outcome = client.run(request, reply, lab.case_seconds);
  result.output = client.take_output();
  if (!outcome.answered()) {
    fail(result, describe(outcome, lab.case_seconds), handout);
    result.crashed = true;
    result.timed_out = outcome.kind == Outcome::Kind::kTimeout;
    return std::nullopt;
  }
  try {
    return copy_out(request, reply, memory, spec.shape);
  } catch (const std::runtime_error& error) {
    fail(result, std::string("The counts of this case cannot be read: ") + error.what(), handout);
    return std::nullopt;
  }
}

bool check_call(const Lab& lab, const Inputs& inputs, const CallResult& call, CaseResult& result) {
  const CaseReply& reply = call.reply;
  const std::string& handout = lab.section("debugging");
  const bool launched =
      call.meters.find("launches").value_or(1) > 0;  // a real GPU does not count them
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
    fail(result, lab.id + " is not implemented yet: " + lab.section("not_implemented"),
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
          protocol::kMaxBuffers - 4);
    }
    fail(result, message, handout);
    result.timed_out = reply.synchronise.code == cudaErrorLaunchTimeout;
    // What the virtual GPU cannot do is not the student's fault.
    if (reply.synchronise.code == cudaErrorNotSupported) result.status = Status::kError;
    return false;
  }
  if (!launched) {
    const bool untouched = std::ranges::all_of(call.O, is_poison);
    fail(result,
         untouched ? "No kernel was launched, and O was never written."
                   : "No kernel was launched: the work must be done on the device.",
         lab.section("scores"));
    return false;
  }
  if (reply.outputs_copied != 1) {
    fail(result, "The call left no result.", handout);
    return false;
  }
  const struct {
    const char* name;
    const std::vector<float>&before, &after;
  } tensors[] = {
      {"Q", inputs.Q, call.q_after}, {"K", inputs.K, call.k_after}, {"V", inputs.V, call.v_after}};
  for (const auto& [name, before, after] : tensors) {
    if (same_bits(before, after)) continue;
    fail(result,
         std::string("The input ") + name +
             " was changed. Inputs are const: write to O and the workspace only.",
         handout);
    return false;
  }
  if (const std::string broken = find_broken_guard(call); !broken.empty()) {
    fail(result, "Out of bounds: " + broken + ". Guard the stores; `--device vgpu` names the line.",
         handout);
    return false;
  }
  return true;
}

CaseGrader find_grader(const Lab& lab) {
  if (lab.kind == "attention_forward") return grade_lab1;
  throw EnvironmentError(lab.id + ": the judge has no cases of the kind '" + lab.kind + "'");
}

}  // namespace flashlab::judge
