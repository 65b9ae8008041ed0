// Stream capture: what is submitted to a captured stream becomes a node behind the last ones of
// that stream; events carry these to other streams, which thereby join the capture.
#include <algorithm>
#include <atomic>
#include <set>

#include "cudart/graph.hpp"

using namespace vgpu::cudart;

namespace {

using Nodes = std::vector<cudaGraphNode_t>;

struct Capture {
  cudaStream_t origin = nullptr;
  std::unique_ptr<CUgraph_st> graph = std::make_unique<CUgraph_st>();
  std::map<cudaStream_t, Nodes> last;  // of each stream that takes part
  std::map<cudaEvent_t, Nodes> events;
  cudaError_t broken = cudaSuccess;
  unsigned long long id = 0;
};

// Under the runtime's lock.
std::map<cudaStream_t, std::shared_ptr<Capture>>& captures() {
  static auto* const all = new std::map<cudaStream_t, std::shared_ptr<Capture>>;
  return *all;
}
std::atomic<bool> any_capture{false};  // so that an ordinary call need not look

std::shared_ptr<Capture> capture_of(cudaStream_t stream) {
  const auto found = captures().find(stream);
  return found == captures().end() ? nullptr : found->second;
}

// Runs `body` when the stream is being captured, with its capture.
template <class Body>
std::optional<cudaError_t> within(cudaStream_t stream, Body body) {
  if (!any_capture) return std::nullopt;
  bool is_captured = false;
  const cudaError_t error = api_call("stream capture", Errors::Sticky, [&](Runtime& runtime) {
    const std::shared_ptr<Capture> own = capture_of(stream);
    if (own == nullptr) return;
    is_captured = true;
    if (own->broken != cudaSuccess)
      fail(cudaErrorStreamCaptureInvalidated, "an earlier call has ended the capture");
    body(runtime, *own);
  });
  return is_captured ? std::optional(error) : std::nullopt;
}

void merge(Nodes& into, const Nodes& more) {
  for (const cudaGraphNode_t node : more)
    if (std::find(into.begin(), into.end(), node) == into.end()) into.push_back(node);
}

// What the last nodes of the origin wait for, themselves included.
std::set<cudaGraphNode_t> behind(const Nodes& last) {
  std::set<cudaGraphNode_t> all;
  Nodes open = last;
  while (!open.empty()) {
    const cudaGraphNode_t node = open.back();
    open.pop_back();
    if (all.insert(node).second)
      open.insert(open.end(), node->dependencies.begin(), node->dependencies.end());
  }
  return all;
}

cudaError_t begin(const char* name, cudaStream_t stream) {
  return api_call(name, Errors::Sticky, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    if (!runtime.streams.contains(stream))
      fail(cudaErrorStreamCaptureUnsupported,
           "the default stream cannot be captured: make a stream of your own");
    if (capture_of(stream) != nullptr)
      fail(cudaErrorIllegalState, "the stream is being captured already");
    static unsigned long long next_id = 1;
    auto own = std::make_shared<Capture>();
    own->origin = stream;
    own->id = next_id++;
    own->last[stream];
    captures()[stream] = own;
    any_capture = true;
  });
}

}  // namespace

namespace vgpu::cudart {

std::optional<cudaError_t> capture(cudaStream_t stream,
                                   const std::function<GraphWork(Runtime&)>& work) {
  return within(stream, [&](Runtime& runtime, Capture& own) {
    Nodes& last = own.last[stream];
    last = {own.graph->add(work(runtime), last)};
  });
}

std::optional<cudaError_t> capture_record(cudaEvent_t event, cudaStream_t stream) {
  return within(stream, [&](Runtime& runtime, Capture& own) {
    if (!runtime.events.contains(event))
      fail(cudaErrorInvalidResourceHandle, "the event does not exist");
    own.events[event] = own.last[stream];
  });
}

std::optional<cudaError_t> capture_wait(cudaStream_t stream, cudaEvent_t event) {
  if (!any_capture) return std::nullopt;
  bool joins = false;
  const cudaError_t error = api_call("cudaStreamWaitEvent", Errors::Sticky, [&](Runtime& runtime) {
    const auto recorded =
        std::find_if(captures().begin(), captures().end(),
                     [&](const auto& entry) { return entry.second->events.contains(event); });
    const std::shared_ptr<Capture> mine = capture_of(stream);
    if (recorded == captures().end()) {
      joins = mine != nullptr;
      if (joins)
        fail(cudaErrorStreamCaptureIsolation, "the event was recorded outside the capture");
      return;
    }
    joins = true;
    runtime.require_stream(stream);
    const std::shared_ptr<Capture> other = recorded->second;
    if (mine != nullptr && mine != other)
      fail(cudaErrorStreamCaptureMerge, "the event belongs to another capture");
    captures()[stream] = other;
    merge(other->last[stream], other->events[event]);
  });
  return joins ? std::optional(error) : std::nullopt;
}

std::optional<cudaError_t> capture_forbids(cudaStream_t stream) {
  return within(stream, [](Runtime&, Capture& own) {
    own.broken = cudaErrorStreamCaptureInvalidated;
    fail(cudaErrorStreamCaptureUnsupported,
         "a stream that is being captured does no work to wait for");
  });
}

}  // namespace vgpu::cudart

VGPU_EXPORT cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  return begin(__func__, stream);
}
VGPU_PER_THREAD_TWIN(cudaStreamBeginCapture, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    output(graph) = nullptr;
    const std::shared_ptr<Capture> own = capture_of(stream);
    if (own == nullptr) fail(cudaErrorIllegalState, "the stream is not being captured");
    if (own->origin != stream)
      fail(cudaErrorStreamCaptureUnmatched, "the capture began on another stream");
    std::erase_if(captures(), [&](const auto& entry) { return entry.second == own; });
    any_capture = !captures().empty();
    if (own->broken != cudaSuccess) fail(own->broken, "a call during the capture has ended it");
    const std::set<cudaGraphNode_t> joined = behind(own->last[stream]);
    for (const auto& [other, last] : own->last)
      if (!std::all_of(last.begin(), last.end(),
                       [&](cudaGraphNode_t node) { return joined.contains(node); }))
        fail(cudaErrorStreamCaptureUnjoined,
             "a stream that joined the capture has work that the first does not wait for");
    *graph = own->graph.get();
    add_graph(std::move(own->graph));
  });
}
VGPU_PER_THREAD_TWIN(cudaStreamEndCapture, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamIsCapturing(cudaStream_t stream,
                                              cudaStreamCaptureStatus* status) {
  return cudaStreamGetCaptureInfo(stream, status, nullptr, nullptr, nullptr, nullptr, nullptr);
}
VGPU_PER_THREAD_TWIN(cudaStreamIsCapturing, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream,
                                                 cudaStreamCaptureStatus* status,
                                                 unsigned long long* id, cudaGraph_t* graph,
                                                 const cudaGraphNode_t** dependencies,
                                                 const cudaGraphEdgeData** edges, size_t* count) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    const std::shared_ptr<Capture> own = capture_of(stream);
    output(status) = own == nullptr               ? cudaStreamCaptureStatusNone
                     : own->broken != cudaSuccess ? cudaStreamCaptureStatusInvalidated
                                                  : cudaStreamCaptureStatusActive;
    if (id != nullptr) *id = own == nullptr ? 0 : own->id;
    if (graph != nullptr) *graph = own == nullptr ? nullptr : own->graph.get();
    if (dependencies != nullptr)
      *dependencies = own == nullptr ? nullptr : own->last[stream].data();
    if (edges != nullptr) *edges = nullptr;
    if (count != nullptr) *count = own == nullptr ? 0 : own->last[stream].size();
  });
}
VGPU_PER_THREAD_TWIN(cudaStreamGetCaptureInfo, _ptsz);

VGPU_EXPORT cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    thread_local cudaStreamCaptureMode current = cudaStreamCaptureModeGlobal;
    std::swap(output(mode), current);
  });
}
