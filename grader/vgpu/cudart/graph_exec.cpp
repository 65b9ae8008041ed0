#include "cudart/graph_exec.hpp"

#include <algorithm>
#include <set>

struct CUgraphExec_st {
  std::unique_ptr<CUgraph_st> graph;
  std::vector<cudaGraphNode_t> order;
};

using namespace vgpu::cudart;

namespace {

std::set<cudaGraphExec_t>& executables() {  // under the runtime's lock
  static auto* const all = new std::set<cudaGraphExec_t>;
  return *all;
}

CUgraphExec_st& require_executable(cudaGraphExec_t executable) {
  if (!executables().contains(executable))
    fail(cudaErrorInvalidValue, "the executable graph does not exist");
  return *executable;
}

cudaError_t instantiate(const char* name, cudaGraphExec_t* executable, cudaGraph_t graph) {
  return api_call(name, Errors::Sticky, [&](Runtime&) {
    auto copy = require_graph(graph).clone();
    std::vector<cudaGraphNode_t> order = copy->in_order();
    output(executable) = new CUgraphExec_st{std::move(copy), std::move(order)};
    executables().insert(*executable);
  });
}

}  // namespace

namespace vgpu::cudart {

CUgraphNode_st& require_executable_node(cudaGraphExec_t executable, cudaGraphNode_t node) {
  const auto& nodes = require_executable(executable).graph->nodes;
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const auto& own) { return own->origin == node; });
  if (found == nodes.end())
    fail(cudaErrorInvalidValue, "the executable graph was not made from this node's graph");
  return **found;
}

cudaError_t run_in_order(const std::vector<cudaGraphNode_t>& nodes) {
  for (const cudaGraphNode_t node : nodes)
    if (const cudaError_t error = node->work.run(); error != cudaSuccess) return error;
  return cudaSuccess;
}

}  // namespace vgpu::cudart

VGPU_EXPORT cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                             unsigned long long) {
  return instantiate(__func__, executable, graph);
}
VGPU_EXPORT cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable,
                                                      cudaGraph_t graph, unsigned long long) {
  return instantiate(__func__, executable, graph);
}

VGPU_EXPORT cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    require_executable(executable);
    executables().erase(executable);
    delete executable;
  });
}

VGPU_EXPORT cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t stream) {
  return api_call(__func__, Errors::Queued, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    require_executable(executable);
  });
}
VGPU_PER_THREAD_TWIN(cudaGraphUpload, _ptsz);

VGPU_EXPORT cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  std::vector<cudaGraphNode_t> order;
  const cudaError_t error = api_call(__func__, Errors::Queued, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    order = require_executable(executable).order;
  });
  if (error != cudaSuccess) return error;
  return submit(stream, cudaGraphNodeTypeGraph, [order] { return run_in_order(order); });
}
VGPU_PER_THREAD_TWIN(cudaGraphLaunch, _ptsz);

// The graph must have the same nodes with the same edges, in the order of their creation.
VGPU_EXPORT cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph,
                                            cudaGraphExecUpdateResultInfo* info) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    const auto& own = require_executable(executable).graph->nodes;
    const auto copy = require_graph(graph).clone();
    cudaGraphExecUpdateResultInfo& result = output(info) = {};
    const auto refuse = [&](cudaGraphExecUpdateResult why) {
      result.result = why;
      fail(cudaErrorGraphExecUpdateFailure,
           "the graphs differ in more than the parameters of their nodes");
    };
    if (own.size() != copy->nodes.size()) refuse(cudaGraphExecUpdateErrorTopologyChanged);
    for (size_t k = 0; k < own.size(); ++k) {
      if (own[k]->work.type != copy->nodes[k]->work.type)
        refuse(cudaGraphExecUpdateErrorNodeTypeChanged);
      if (own[k]->dependencies.size() != copy->nodes[k]->dependencies.size())
        refuse(cudaGraphExecUpdateErrorTopologyChanged);
    }
    for (size_t k = 0; k < own.size(); ++k) own[k]->work = copy->nodes[k]->work;
    result.result = cudaGraphExecUpdateSuccess;
  });
}
