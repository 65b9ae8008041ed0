#include "run_case.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <vector>

#include "buffers.hpp"
#include "entry_points.hpp"
#include "launches.hpp"
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
  }
  ~EventTimer() {
    cudaEventDestroy(start_);
    cudaEventDestroy(stop_);
  }
  EventTimer(const EventTimer&) = delete;
  EventTimer& operator=(const EventTimer&) = delete;

  void start() { check(cudaEventRecord(start_, stream_), "cudaEventRecord"); }
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

std::span<const protocol::Tensor> tensors_of(const CaseRequest& request) {
  return std::span(request.tensors).first(request.tensor_count);
}

/// Copies of the outputs, made while the clock still runs: what a thread of the submission does
/// afterwards comes too late.
class Snapshot {
 public:
  explicit Snapshot(std::span<const protocol::Tensor> tensors) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].before.bytes > 0) continue;
      void* memory = nullptr;
      check(cudaMalloc(&memory, tensors[i].after.bytes), "cudaMalloc");
      copies_.push_back({i, memory, tensors[i].after});
    }
  }
  ~Snapshot() {
    for (const Copy& copy : copies_) cudaFree(copy.memory);
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  void take(const Buffers& buffers) const {
    for (const Copy& copy : copies_) buffers.snapshot(copy.tensor, copy.memory);
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  }
  void copy_back(std::span<std::byte> memory) const {
    for (const Copy& copy : copies_) {
      check(cudaMemcpy(region(memory, copy.after).data(), copy.memory, copy.after.bytes,
                       cudaMemcpyDeviceToHost),
            "cudaMemcpy");
    }
  }

 private:
  struct Copy {
    size_t tensor;
    void* memory;
    Span after;
  };
  std::vector<Copy> copies_;
};

/// Calls the submission.
void enter(const Call& call, CaseReply& reply) {
  reply.status = protocol::CallStatus::kReturned;
  try {
    reply.returned = record(find_entry_point(call.request.kind)->call(call));
  } catch (const std::exception& error) {
    reply.status = protocol::CallStatus::kThrew;
    put_text(reply.text, error.what());
  } catch (...) {
    reply.status = protocol::CallStatus::kThrew;
    put_text(reply.text, "an object that is not a std::exception");
  }
}

/// Calls the submission and waits for the device. Only what happens between the two clock readings
/// is its doing; `snapshot` is there when the judge takes the time.
void run_call(void* function, const CaseRequest& request, std::span<void* const> tensors,
              Buffers& buffers, Gate& gate, const Snapshot* snapshot, CaseReply& reply) {
  Workspace workspace(&Buffers::allocate_workspace, &buffers);
  const Stream stream;
  EventTimer timer(stream.get());
  if (snapshot != nullptr) gate.wait_for_go();
  reset_launches();
  timer.start();
  const auto start = std::chrono::steady_clock::now();
  if (request.timing == protocol::Timing::kEmpty) {
    reply.status = protocol::CallStatus::kReturned;
  } else {
    enter({function, tensors, request, workspace, stream.get()}, reply);
  }
  timer.stop();
  reply.last_error = record(cudaGetLastError());
  reply.synchronise = record(cudaDeviceSynchronize());
  reply.host_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Launches launched = count_launches();
  reply.launches = launched.launches;
  reply.launched_threads = launched.threads;
  if (snapshot != nullptr) {
    if (reply.synchronise.code == cudaSuccess) snapshot->take(buffers);
    gate.done();
  }
  reply.event_seconds = timer.seconds();
}

/// Copies back what the judge looks at: after a timed call, the outputs as they were at its end.
void copy_results(const CaseRequest& request, const Buffers& buffers, const Snapshot* snapshot,
                  std::span<std::byte> memory, CaseReply& reply) {
  for (size_t i = 0; i < request.tensor_count; ++i) {
    if (snapshot != nullptr && request.tensors[i].before.bytes == 0) continue;
    buffers.copy_back(i, region(memory, request.tensors[i].after));
  }
  if (snapshot != nullptr) snapshot->copy_back(memory);
  reply.outputs_copied = 1;
  if (snapshot != nullptr) return;
  reply.guards_present = buffers.copy_guards(region(memory, request.guards));
  for (size_t c = 0; c < protocol::kMaxCaptures; ++c) {
    const protocol::Capture& wanted = request.captures[c];
    for (size_t i = request.tensor_count; i < buffers.count() && wanted.span.bytes > 0; ++i) {
      if (buffers.name(i) != wanted.name || buffers.bytes(i) != wanted.span.bytes) continue;
      buffers.copy_back(i, region(memory, wanted.span));
      reply.captured[c] = 1;
    }
  }
}

void run(Kept& kept, void* function, const CaseRequest& request, std::span<std::byte> memory,
         CaseReply& reply) {
  const Device& device = kept.device;
  const bool timed = request.timing != protocol::Timing::kNone;
  // The virtual GPU checks the bounds of allocations, so there a buffer is always one of its own.
  Arena* arena = timed && !device.is_virtual() ? &kept.arena : nullptr;
  if (arena != nullptr) arena->prepare();
  const size_t free_before = free_device_bytes();
  Buffers buffers(device, request.workspace_limit, arena);
  std::vector<void*> tensors;
  for (const protocol::Tensor& tensor : tensors_of(request)) {
    tensors.push_back(tensor.before.bytes > 0
                          ? buffers.add_input(tensor.name, region(memory, tensor.before))
                          : buffers.add_output(tensor.name, tensor.after.bytes));
  }
  std::optional<Snapshot> snapshot;
  if (timed) snapshot.emplace(tensors_of(request));
  const Snapshot* taken = snapshot ? &*snapshot : nullptr;
  device.set_launch_timeout(request.launch_seconds);
  device.reset();
  if (timed) device.flush_cache();

  run_call(function, request, tensors, buffers, kept.gate, taken, reply);

  const std::span<std::byte> report = region(memory, request.report);
  reply.report_bytes = device.report(reinterpret_cast<char*>(report.data()), report.size());
  reply.resets = device.resets();
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
  copy_results(request, buffers, taken, memory, reply);
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
  if (request.timing > protocol::Timing::kEmpty) return false;
  return fits(request.report) && fits(request.guards) &&
         request.guards.bytes >= 2ull * protocol::kMaxBuffers * protocol::kGuardBytes;
}

CaseReply run_case(Kept& kept, void* function, const CaseRequest& request,
                   std::span<std::byte> memory) {
  CaseReply reply;
  try {
    run(kept, function, request, memory, reply);
  } catch (const SetupError& error) {
    reply.status = protocol::CallStatus::kSetupFailed;
    put_text(reply.text, error.what());
  }
  return reply;
}

}  // namespace flashlab::worker
