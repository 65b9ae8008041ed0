// Streams. Work is done when it is submitted, so a stream keeps an identity and its settings, and
// is always idle.
#include <algorithm>

#include "cudart/graph.hpp"

struct CUstream_st {
  unsigned flags = 0;
  int priority = 0;
  unsigned long long id = 0;
};

using namespace vgpu::cudart;

namespace {

constexpr int kLeastPriority = 0, kGreatestPriority = -5;  // as on an H200

const CUstream_st& settings(Runtime& runtime, cudaStream_t stream) {
  static const CUstream_st kDefault{};
  runtime.require_stream(stream);
  return runtime.streams.contains(stream) ? *stream : kDefault;
}

cudaError_t create(const char* name, cudaStream_t* stream, unsigned flags, int priority) {
  return api_call(name, Errors::Sticky, [&](Runtime& runtime) {
    if (flags & ~static_cast<unsigned>(cudaStreamNonBlocking))
      fail(cudaErrorInvalidValue, "flags must be cudaStreamDefault or cudaStreamNonBlocking");
    static unsigned long long next_id =
        3;  // 1 and 2 are the legacy and the per-thread default stream
    int clamped = std::clamp(priority, kGreatestPriority, kLeastPriority);
    output(stream) = new CUstream_st{flags, clamped, next_id++};
    runtime.streams.insert(*stream);
  });
}

cudaError_t wait_for(const char* name, cudaStream_t stream) {
  if (const auto refused = capture_forbids(stream)) return *refused;
  return api_call(name, Errors::Waits, [&](Runtime& runtime) { runtime.require_stream(stream); });
}

}  // namespace

VGPU_EXPORT cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return create(__func__, stream, cudaStreamDefault, 0);
}

VGPU_EXPORT cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return create(__func__, stream, flags, 0);
}

VGPU_EXPORT cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags,
                                                     int priority) {
  return create(__func__, stream, flags, priority);
}

VGPU_EXPORT cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    if (runtime.streams.erase(stream) == 0)
      fail(cudaErrorInvalidResourceHandle, "the stream does not exist (null, or destroyed before)");
    delete stream;
  });
}

VGPU_EXPORT cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return wait_for(__func__, stream);
}
VGPU_PER_THREAD_TWIN(cudaStreamSynchronize, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return wait_for(__func__, stream);
}
VGPU_PER_THREAD_TWIN(cudaStreamQuery, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const auto captured = capture_wait(stream, event)) return *captured;
  return api_call(__func__, Errors::Queued, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    if (!runtime.events.contains(event))
      fail(cudaErrorInvalidResourceHandle, "the event does not exist");
  });
}
VGPU_PER_THREAD_TWIN(cudaStreamWaitEvent, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime& runtime) { output(priority) = settings(runtime, stream).priority; });
}
VGPU_PER_THREAD_TWIN(cudaStreamGetPriority, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned* flags) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime& runtime) { output(flags) = settings(runtime, stream).flags; });
}
VGPU_PER_THREAD_TWIN(cudaStreamGetFlags, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamGetId(cudaStream_t stream, unsigned long long* id) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    unsigned long long own = settings(runtime, stream).id;
    output(id) = own != 0 ? own : stream == cudaStreamPerThread ? 2 : 1;
  });
}
VGPU_PER_THREAD_TWIN(cudaStreamGetId, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    output(device) = 0;
  });
}
VGPU_PER_THREAD_TWIN(cudaStreamGetDevice, _ptsz);

VGPU_EXPORT cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    if (least != nullptr) *least = kLeastPriority;
    if (greatest != nullptr) *greatest = kGreatestPriority;
  });
}

VGPU_EXPORT cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeHost, [=] {
    bool call = false;
    cudaError_t error = api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      if (function == nullptr) fail(cudaErrorInvalidValue, "the function is null");
      call = true;
    });
    if (call) function(data);
    return error;
  });
}
VGPU_PER_THREAD_TWIN(cudaLaunchHostFunc, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback,
                                              void* data, unsigned) {
  bool call = false;
  cudaError_t error = api_call(__func__, Errors::Queued, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    if (callback == nullptr) fail(cudaErrorInvalidValue, "the callback is null");
    call = true;
  });
  if (call) callback(stream, cudaSuccess, data);
  return error;
}
VGPU_PER_THREAD_TWIN(cudaStreamAddCallback, _ptsz);
