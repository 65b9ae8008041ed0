#include "run_case.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <vector>

#include "buffers.hpp"
#include "entry_points.hpp"
#include "text.hpp"

namespace flashlab::worker {
namespace {

using protocol::CaseReply;
using protocol::CaseRequest;
using protocol::Span;

std::span<std::byte> region(std::span<std::byte> memory, const Span& span) {
  return memory.subspan(span.offset, span.bytes);
}

/// A pair of CUDA events around the call.
class EventTimer {
 public:
  explicit EventTimer(cudaStream_t stream) : stream_(stream) {
    check(cudaEventCreate(&start_), "cudaEventCreate");
    check(cudaEventCreate(&stop_), "cudaEventCreate");
    check(cudaEventRecord(start_, stream_), "cudaEventRecord");
  }
  ~EventTimer() {
    cudaEventDestroy(start_);
    cudaEventDestroy(stop_);
  }
  EventTimer(const EventTimer&) = delete;
  EventTimer& operator=(const EventTimer&) = delete;

  void stop() { stopped_ = cudaEventRecord(stop_, stream_) == cudaSuccess; }
  /// Negative when the time is unknown.
  double seconds() const {
    float milliseconds = 0;
    if (!stopped_ || cudaEventElapsedTime(&milliseconds, start_, stop_) != cudaSuccess) return -1;
    return milliseconds * 1e-3;
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t start_{}, stop_{};
  bool stopped_ = false;
};

/// A stream that does not wait for the default stream, as in a real application.
class Stream {
 public:
  Stream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_{};
};

size_t free_device_bytes() {
  size_t free_bytes = 0, total = 0;
  check(cudaMemGetInfo(&free_bytes, &total), "cudaMemGetInfo");
  return free_bytes;
}

/// Calls the submission and waits for the device. Only what happens between the two clock readings
/// is its doing.
void call(void* function, const CaseRequest& request, std::span<void* const> tensors,
          Buffers& buffers, CaseReply& reply) {
  const EntryPoint& entry_point = *find_entry_point(request.kind);
  Workspace workspace(&Buffers::allocate_workspace, &buffers);
  const Stream stream;
  EventTimer timer(stream.get());
  const auto start = std::chrono::steady_clock::now();
  reply.status = protocol::CallStatus::kReturned;
  try {
    reply.returned =
        record(entry_point.call({function, tensors, request, workspace, stream.get()}));
  } catch (const std::exception& error) {
    reply.status = protocol::CallStatus::kThrew;
    put_text(reply.text, error.what());
  } catch (...) {
    reply.status = protocol::CallStatus::kThrew;
    put_text(reply.text, "an object that is not a std::exception");
  }
  timer.stop();
  reply.last_error = record(cudaGetLastError());
  reply.synchronise = record(cudaDeviceSynchronize());
  reply.host_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  reply.event_seconds = timer.seconds();
}

std::span<const protocol::Tensor> tensors_of(const CaseRequest& request) {
  return std::span(request.tensors).first(request.tensor_count);
}

void copy_results(const CaseRequest& request, const Buffers& buffers, std::span<std::byte> memory,
                  CaseReply& reply) {
  for (size_t i = 0; i < request.tensor_count; ++i) {
    buffers.copy_back(i, region(memory, request.tensors[i].after));
  }
  reply.guards_present = buffers.copy_guards(region(memory, request.guards));
  for (size_t c = 0; c < protocol::kMaxCaptures; ++c) {
    const protocol::Capture& wanted = request.captures[c];
    for (size_t i = request.tensor_count; i < buffers.count() && wanted.span.bytes > 0; ++i) {
      if (buffers.name(i) != wanted.name || buffers.bytes(i) != wanted.span.bytes) continue;
      buffers.copy_back(i, region(memory, wanted.span));
      reply.captured[c] = 1;
    }
  }
  reply.outputs_copied = 1;
}

void run(const Device& device, void* function, const CaseRequest& request,
         std::span<std::byte> memory, CaseReply& reply) {
  const size_t free_before = free_device_bytes();
  Buffers buffers(device, request.workspace_limit);
  std::vector<void*> tensors;
  for (const protocol::Tensor& tensor : tensors_of(request)) {
    tensors.push_back(tensor.before.bytes > 0
                          ? buffers.add_input(tensor.name, region(memory, tensor.before))
                          : buffers.add_output(tensor.name, tensor.after.bytes));
  }
  device.set_launch_timeout(request.launch_seconds);
  device.reset();

  call(function, request, tensors, buffers, reply);

  const std::span<std::byte> report = region(memory, request.report);
  reply.report_bytes = device.report(reinterpret_cast<char*>(report.data()), report.size());
  reply.workspace_bytes = buffers.workspace_bytes();
  reply.refused_allocations = buffers.refused();
  reply.buffer_count = static_cast<uint32_t>(buffers.count());
  for (size_t i = 0; i < buffers.count(); ++i) {
    put_text(reply.buffers[i].name, buffers.name(i));
    reply.buffers[i].bytes = buffers.bytes(i);
  }
  // After an error of the device no call succeeds any more: there is nothing to copy, and that is
  // not our failure.
  if (reply.synchronise.code != cudaSuccess) return;
  const size_t free_now = free_device_bytes();
  reply.peak_device_bytes = free_before > free_now ? free_before - free_now : 0;
  copy_results(request, buffers, memory, reply);
}

}  // namespace

bool is_servable(const CaseRequest& request, size_t memory_bytes) {
  const EntryPoint* entry_point = find_entry_point(request.kind);
  if (entry_point == nullptr || request.tensor_count != entry_point->tensors) return false;
  const auto fits = [&](const Span& span) { return protocol::fits(span, memory_bytes); };
  for (const protocol::Tensor& tensor : tensors_of(request)) {
    const bool is_output = tensor.before.bytes == 0;
    if (!fits(tensor.before) || !fits(tensor.after) || tensor.after.bytes == 0) return false;
    if (!is_output && tensor.before.bytes != tensor.after.bytes) return false;
    if (std::ranges::find(tensor.name, '\0') == std::end(tensor.name)) return false;
  }
  for (const protocol::Capture& capture : request.captures) {
    if (!fits(capture.span)) return false;
  }
  return fits(request.report) && fits(request.guards) &&
         request.guards.bytes >= 2ull * protocol::kMaxBuffers * protocol::kGuardBytes;
}

CaseReply run_case(const Device& device, void* function, const CaseRequest& request,
                   std::span<std::byte> memory) {
  CaseReply reply;
  try {
    run(device, function, request, memory, reply);
  } catch (const SetupError& error) {
    reply.status = protocol::CallStatus::kSetupFailed;
    put_text(reply.text, error.what());
  }
  return reply;
}

}  // namespace flashlab::worker
