// Graphs: work that is kept to be done later, made by capturing a stream or node by node. A graph's
// nodes run one after the other, each behind those that it depends on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "cudart/api.hpp"

namespace vgpu::cudart {

/// A kernel launch with a copy of its arguments.
struct KernelWork {
  const void* func = nullptr;
  dim3 grid, block;
  size_t dynamic_shared = 0;
  bool cooperative = false;
  std::vector<std::vector<uint8_t>> arguments;

  cudaError_t launch() const;
};

/// What a node does. `run` is called without the runtime's lock and answers as the API function
/// that it stands for.
struct GraphWork {
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  std::function<cudaError_t()> run;
  std::optional<KernelWork> kernel{};
  cudaGraph_t child = nullptr;
};

/// Copies the arguments of a launch. Call with the runtime's lock held. Throws ApiError.
KernelWork copy_kernel_work(Runtime& runtime, const void* func, dim3 grid, dim3 block,
                            size_t dynamic_shared, bool cooperative, void** arguments);
GraphWork kernel_node(KernelWork kernel);

}  // namespace vgpu::cudart

struct CUgraphNode_st {
  vgpu::cudart::GraphWork work;
  std::vector<cudaGraphNode_t> dependencies;
  cudaGraphNode_t origin = nullptr;  ///< in a clone: the node that it was made from
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;

  cudaGraphNode_t add(vgpu::cudart::GraphWork work, std::vector<cudaGraphNode_t> dependencies);
  bool holds(cudaGraphNode_t node) const;
  /// The nodes, each behind those that it depends on. Fails with cudaErrorInvalidValue when they
  /// form a cycle.
  std::vector<cudaGraphNode_t> in_order() const;
  std::unique_ptr<CUgraph_st> clone() const;
};

namespace vgpu::cudart {

/// The graph, or the failure cudaErrorInvalidValue when there is none.
CUgraph_st& require_graph(cudaGraph_t graph);
void add_graph(std::unique_ptr<CUgraph_st> graph);

/// Whether a call on this stream belongs to a capture. Then `work` has been added to its graph, or
/// the error says why not.
std::optional<cudaError_t> capture(cudaStream_t stream,
                                   const std::function<GraphWork(Runtime&)>& work);
/// The same for cudaEventRecord and cudaStreamWaitEvent.
std::optional<cudaError_t> capture_record(cudaEvent_t event, cudaStream_t stream);
std::optional<cudaError_t> capture_wait(cudaStream_t stream, cudaEvent_t event);
/// A call that waits for a stream ends the stream's capture.
std::optional<cudaError_t> capture_forbids(cudaStream_t stream);

/// Submits work to a stream. It is done at once, or kept when the stream is being captured. `run`
/// must own what it needs.
template <class F>
cudaError_t submit(cudaStream_t stream, cudaGraphNodeType type, F run) {
  const auto captured = capture(stream, [&](Runtime&) { return GraphWork{type, run}; });
  return captured ? *captured : run();
}

}  // namespace vgpu::cudart
