#include "run_case.hpp"

#include <flashlab/lab1.h>

#include <chrono>
#include <exception>

#include "buffers.hpp"
#include "text.hpp"

namespace flashlab::worker {
namespace {

using protocol::CaseReply;
using protocol::CaseRequest;
using protocol::Span;

using AttentionForward = decltype(&lab1_naive_attention);

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
void call(void* entry, const CaseRequest& request, const float* q, const float* k, const float* v,
          float* o, Buffers& buffers, CaseReply& reply) {
  const AttentionShape shape{request.batch,    request.heads, request.seq_q,      request.seq_k,
                             request.head_dim, request.scale, request.causal != 0};
  Workspace workspace(&Buffers::allocate_workspace, &buffers);
  const Stream stream;
  EventTimer timer(stream.get());
  const auto start = std::chrono::steady_clock::now();
  reply.status = protocol::CallStatus::kReturned;
  try {
    reply.returned = record(
        reinterpret_cast<AttentionForward>(entry)(q, k, v, o, shape, workspace, stream.get()));
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

void copy_results(const CaseRequest& request, const Buffers& buffers, std::span<std::byte> memory,
                  CaseReply& reply) {
  const Span after[] = {request.q_after, request.k_after, request.v_after, request.o};
  for (size_t i = 0; i < std::size(after); ++i) buffers.copy_back(i, region(memory, after[i]));
  reply.guards_present = buffers.copy_guards(region(memory, request.guards));
  for (size_t c = 0; c < protocol::kMaxCaptures; ++c) {
    const protocol::Capture& wanted = request.captures[c];
    for (size_t i = std::size(after); i < buffers.count() && wanted.span.bytes > 0; ++i) {
      if (buffers.name(i) != wanted.name || buffers.bytes(i) != wanted.span.bytes) continue;
      buffers.copy_back(i, region(memory, wanted.span));
      reply.captured[c] = 1;
    }
  }
  reply.outputs_copied = 1;
}

void run(const Device& device, void* entry, const CaseRequest& request, std::span<std::byte> memory,
         CaseReply& reply) {
  const size_t free_before = free_device_bytes();
  Buffers buffers(device, request.workspace_limit);
  const void* q = buffers.add_input("Q", region(memory, request.q));
  const void* k = buffers.add_input("K", region(memory, request.k));
  const void* v = buffers.add_input("V", region(memory, request.v));
  void* o = buffers.add_output("O", request.o.bytes);
  device.set_launch_timeout(request.launch_seconds);
  device.reset();

  call(entry, request, static_cast<const float*>(q), static_cast<const float*>(k),
       static_cast<const float*>(v), static_cast<float*>(o), buffers, reply);

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
  for (const Span& span : {request.q, request.k, request.v, request.o, request.q_after,
                           request.k_after, request.v_after, request.guards, request.report}) {
    if (!protocol::fits(span, memory_bytes)) return false;
  }
  for (const protocol::Capture& capture : request.captures) {
    if (!protocol::fits(capture.span, memory_bytes)) return false;
  }
  const auto tensor_bytes = [&](int32_t rows) {
    return uint64_t{sizeof(float)} * request.batch * request.heads * rows * request.head_dim;
  };
  return request.kind == protocol::EntryKind::kAttentionForward &&
         request.q.bytes == tensor_bytes(request.seq_q) &&
         request.k.bytes == tensor_bytes(request.seq_k) && request.o.bytes == request.q.bytes &&
         request.v.bytes == request.k.bytes && request.q_after.bytes == request.q.bytes &&
         request.k_after.bytes == request.k.bytes && request.v_after.bytes == request.v.bytes &&
         request.guards.bytes >= 2ull * protocol::kMaxBuffers * protocol::kGuardBytes;
}

CaseReply run_case(const Device& device, void* entry, const CaseRequest& request,
                   std::span<std::byte> memory) {
  CaseReply reply;
  try {
    run(device, entry, request, memory, reply);
  } catch (const SetupError& error) {
    reply.status = protocol::CallStatus::kSetupFailed;
    put_text(reply.text, error.what());
  }
  return reply;
}

}  // namespace flashlab::worker
