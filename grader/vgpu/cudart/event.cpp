// Events. Their times come from the host's clock: launches are over when they return, so the time
// between two events is the CPU time that the work between them took.
#include <chrono>
#include <optional>

#include "cudart/graph.hpp"

struct CUevent_st {
  unsigned flags = 0;
  std::optional<std::chrono::steady_clock::time_point> recorded;
};

using namespace vgpu::cudart;

namespace {

constexpr unsigned kEventFlags =
    cudaEventBlockingSync | cudaEventDisableTiming | cudaEventInterprocess;

CUevent_st& require_event(Runtime& runtime, cudaEvent_t event) {
  if (runtime.reset_events.contains(event))
    fail(cudaErrorContextIsDestroyed, "the event is older than a call of cudaDeviceReset");
  if (!runtime.events.contains(event))
    fail(cudaErrorInvalidResourceHandle, "the event does not exist (null, or destroyed)");
  return *event;
}

cudaError_t create(const char* name, cudaEvent_t* event, unsigned flags) {
  return api_call(name, Errors::Sticky, [&](Runtime& runtime) {
    if (flags & ~kEventFlags) fail(cudaErrorInvalidValue, "unknown flags");
    output(event) = new CUevent_st{flags, {}};
    runtime.events.insert(*event);
  });
}

cudaError_t record(const char* name, cudaEvent_t event, cudaStream_t stream,
                   unsigned flags = cudaEventRecordDefault) {
  if (const auto captured = capture_record(event, stream)) return *captured;
  return api_call(name, Errors::Queued, [&](Runtime& runtime) {
    if (flags != cudaEventRecordDefault && flags != cudaEventRecordExternal)
      fail(cudaErrorInvalidValue, "unknown flags");
    runtime.require_stream(stream);
    require_event(runtime, event).recorded = std::chrono::steady_clock::now();
  });
}

}  // namespace

VGPU_EXPORT cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return create(__func__, event, cudaEventDefault);
}

VGPU_EXPORT cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return create(__func__, event, flags);
}

VGPU_EXPORT cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return record(__func__, event, stream);
}
VGPU_PER_THREAD_TWIN(cudaEventRecord, _ptsz);

VGPU_EXPORT cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream,
                                                 unsigned flags) {
  return record(__func__, event, stream, flags);
}
VGPU_PER_THREAD_TWIN(cudaEventRecordWithFlags, _ptsz);

VGPU_EXPORT cudaError_t cudaEventQuery(cudaEvent_t event) {
  return api_call(__func__, Errors::Waits,
                  [&](Runtime& runtime) { require_event(runtime, event); });
}

VGPU_EXPORT cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return api_call(__func__, Errors::Waits,
                  [&](Runtime& runtime) { require_event(runtime, event); });
}

VGPU_EXPORT cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    require_event(runtime, event);
    runtime.events.erase(event);
    delete event;
  });
}

VGPU_EXPORT cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start,
                                             cudaEvent_t end) {
  return api_call(__func__, Errors::Waits, [&](Runtime& runtime) {
    const CUevent_st& first = require_event(runtime, start);
    const CUevent_st& last = require_event(runtime, end);
    if ((first.flags | last.flags) & cudaEventDisableTiming)
      fail(cudaErrorInvalidResourceHandle, "an event was made with cudaEventDisableTiming");
    if (!first.recorded || !last.recorded)
      fail(cudaErrorInvalidResourceHandle, "an event has not been recorded");
    output(milliseconds) =
        std::chrono::duration<float, std::milli>(*last.recorded - *first.recorded).count();
  });
}
