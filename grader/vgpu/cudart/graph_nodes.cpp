// The kinds of nodes: how they are added to a graph, and how their parameters are read and changed,
// in a graph or in its executable copy.
#include <cstring>

#include "cudart/function.hpp"
#include "cudart/graph.hpp"
#include "cudart/graph_exec.hpp"
#include "cudart/transfer.hpp"

namespace vgpu::cudart {

KernelWork copy_kernel_work(Runtime& runtime, const void* func, dim3 grid, dim3 block,
                            size_t dynamic_shared, bool cooperative, void** arguments) {
  const Kernel& kernel = runtime.registry.kernel(runtime, require_function(runtime, func));
  KernelWork work{func, grid, block, dynamic_shared, cooperative, {}};
  if (arguments == nullptr && !kernel.params.empty())
    fail(cudaErrorInvalidValue, "no arguments for " + kernel.demangled);
  for (size_t k = 0; k < kernel.params.size(); ++k) {
    const auto* const from = static_cast<const uint8_t*>(arguments[k]);
    work.arguments.emplace_back(from, from + kernel.params[k].size);
  }
  return work;
}

cudaError_t KernelWork::launch() const {
  std::vector<void*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<uint8_t*>(argument.data()));
  return cooperative
             ? cudaLaunchCooperativeKernel(func, grid, block, pointers.data(), dynamic_shared,
                                           nullptr)
             : cudaLaunchKernel(func, grid, block, pointers.data(), dynamic_shared, nullptr);
}

GraphWork kernel_node(KernelWork kernel) {
  GraphWork work;
  work.type = cudaGraphNodeTypeKernel;
  work.run = [kernel] { return kernel.launch(); };
  work.kernel = std::move(kernel);
  return work;
}

}  // namespace vgpu::cudart

using namespace vgpu::cudart;

namespace {

GraphWork node_of(Runtime& runtime, const cudaKernelNodeParams* p) {
  const auto& params = output(p);
  if (params.kernelParams == nullptr && params.extra != nullptr)
    fail(cudaErrorNotSupported, "arguments in `extra` are not supported");
  return kernel_node(copy_kernel_work(runtime, params.func, params.gridDim, params.blockDim,
                                      params.sharedMemBytes, false, params.kernelParams));
}

GraphWork node_of(void* target, const void* source, size_t bytes, cudaMemcpyKind kind) {
  return {cudaGraphNodeTypeMemcpy,
          [=] { return cudaMemcpyAsync(target, source, bytes, kind, nullptr); }};
}

GraphWork node_of(const cudaMemcpy3DParms* p) {
  return {cudaGraphNodeTypeMemcpy,
          [params = output(p)] { return cudaMemcpy3DAsync(&params, nullptr); }};
}

void fill(Runtime& runtime, const cudaMemsetParams& p) {
  if (p.elementSize == 1)
    return fill_box(runtime, p.dst, {p.pitch}, {p.width, p.height}, static_cast<int>(p.value));
  if (p.elementSize != 2 && p.elementSize != 4)
    fail(cudaErrorInvalidValue, "elements of a memset have 1, 2 or 4 bytes");
  for (size_t row = 0; row < p.height; ++row) {  // byte by byte of the elements
    std::vector<uint8_t> values(p.width * p.elementSize);
    for (size_t i = 0; i < p.width; ++i)
      std::memcpy(values.data() + i * p.elementSize, &p.value, p.elementSize);
    copy_range(runtime, static_cast<uint8_t*>(p.dst) + row * p.pitch, values.data(), values.size(),
               cudaMemcpyDefault);
  }
}

GraphWork node_of(const cudaMemsetParams* p) {
  return {cudaGraphNodeTypeMemset, [params = output(p)] {
            return api_call("memset node", Errors::Queued,
                            [&](Runtime& runtime) { fill(runtime, params); });
          }};
}

GraphWork node_of(const cudaHostNodeParams* p) {
  if (output(p).fn == nullptr) fail(cudaErrorInvalidValue, "the function is null");
  return {cudaGraphNodeTypeHost, [params = *p] {
            params.fn(params.userData);
            return cudaSuccess;
          }};
}

template <class Make>
cudaError_t add(const char* name, cudaGraphNode_t* node, cudaGraph_t graph,
                const cudaGraphNode_t* dependencies, size_t count, Make make) {
  return api_call(name, Errors::Sticky, [&](Runtime& runtime) {
    CUgraph_st& own = require_graph(graph);
    std::vector<cudaGraphNode_t> list;
    for (size_t k = 0; k < count; ++k) {
      if (!own.holds(dependencies[k]))
        fail(cudaErrorInvalidValue, "a dependency is not of this graph");
      list.push_back(dependencies[k]);
    }
    output(node) = own.add(make(runtime), std::move(list));
  });
}

/// Replaces what a node does; the kind stays.
template <class Make>
cudaError_t change(const char* name, cudaGraphNode_t node, cudaGraphNodeType type, Make make) {
  return api_call(name, Errors::Sticky, [&](Runtime& runtime) {
    if (output(node).work.type != type) fail(cudaErrorInvalidValue, "the node is of another kind");
    node->work = make(runtime);
  });
}

template <class Make>
cudaError_t change_executable(const char* name, cudaGraphExec_t executable, cudaGraphNode_t node,
                              cudaGraphNodeType type, Make make) {
  return api_call(name, Errors::Sticky, [&](Runtime& runtime) {
    CUgraphNode_st& own = require_executable_node(executable, node);
    if (own.work.type != type) fail(cudaErrorInvalidValue, "the node is of another kind");
    own.work = make(runtime);
  });
}

}  // namespace

VGPU_EXPORT cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                               const cudaGraphNode_t* dependencies, size_t count,
                                               const cudaKernelNodeParams* params) {
  return add(__func__, node, graph, dependencies, count,
             [&](Runtime& runtime) { return node_of(runtime, params); });
}
VGPU_EXPORT cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph,
                                                 const cudaGraphNode_t* dependencies, size_t count,
                                                 void* target, const void* source, size_t bytes,
                                                 cudaMemcpyKind kind) {
  return add(__func__, node, graph, dependencies, count,
             [&](Runtime&) { return node_of(target, source, bytes, kind); });
}
VGPU_EXPORT cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                               const cudaGraphNode_t* dependencies, size_t count,
                                               const cudaMemcpy3DParms* params) {
  return add(__func__, node, graph, dependencies, count, [&](Runtime&) { return node_of(params); });
}
VGPU_EXPORT cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                               const cudaGraphNode_t* dependencies, size_t count,
                                               const cudaMemsetParams* params) {
  return add(__func__, node, graph, dependencies, count, [&](Runtime&) { return node_of(params); });
}
VGPU_EXPORT cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                             const cudaGraphNode_t* dependencies, size_t count,
                                             const cudaHostNodeParams* params) {
  return add(__func__, node, graph, dependencies, count, [&](Runtime&) { return node_of(params); });
}
VGPU_EXPORT cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                              const cudaGraphNode_t* dependencies, size_t count) {
  return add(__func__, node, graph, dependencies, count, [](Runtime&) {
    return GraphWork{cudaGraphNodeTypeEmpty, [] { return cudaSuccess; }};
  });
}
VGPU_EXPORT cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                                   const cudaGraphNode_t* dependencies,
                                                   size_t count, cudaGraph_t child) {
  return add(__func__, node, graph, dependencies, count, [&](Runtime&) {
    std::shared_ptr<CUgraph_st> copy = require_graph(child).clone();
    GraphWork work{cudaGraphNodeTypeGraph, [copy] { return run_in_order(copy->in_order()); }};
    work.child = copy.get();
    return work;
  });
}
VGPU_EXPORT cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                                    const cudaGraphNode_t* dependencies,
                                                    size_t count, cudaEvent_t event) {
  return add(__func__, node, graph, dependencies, count, [&](Runtime&) {
    return GraphWork{cudaGraphNodeTypeEventRecord,
                     [event] { return cudaEventRecord(event, nullptr); }};
  });
}
VGPU_EXPORT cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                                  const cudaGraphNode_t* dependencies, size_t count,
                                                  cudaEvent_t event) {
  return add(__func__, node, graph, dependencies, count, [&](Runtime&) {
    return GraphWork{cudaGraphNodeTypeWaitEvent,
                     [event] { return cudaStreamWaitEvent(nullptr, event, 0); }};
  });
}

VGPU_EXPORT cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t node,
                                                     cudaKernelNodeParams* params) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    if (!output(node).work.kernel) fail(cudaErrorInvalidValue, "the node is not a kernel node");
    KernelWork& work = *node->work.kernel;
    static thread_local std::vector<void*>
        pointers;  // valid until the next call, as long as the node is not changed
    pointers.clear();
    for (auto& argument : work.arguments) pointers.push_back(argument.data());
    output(params) = {const_cast<void*>(work.func),
                      work.grid,
                      work.block,
                      static_cast<unsigned>(work.dynamic_shared),
                      pointers.data(),
                      nullptr};
  });
}
VGPU_EXPORT cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node,
                                                     const cudaKernelNodeParams* params) {
  return change(__func__, node, cudaGraphNodeTypeKernel,
                [&](Runtime& runtime) { return node_of(runtime, params); });
}
VGPU_EXPORT cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* target,
                                                       const void* source, size_t bytes,
                                                       cudaMemcpyKind kind) {
  return change(__func__, node, cudaGraphNodeTypeMemcpy,
                [&](Runtime&) { return node_of(target, source, bytes, kind); });
}
VGPU_EXPORT cudaError_t cudaGraphMemsetNodeSetParams(cudaGraphNode_t node,
                                                     const cudaMemsetParams* params) {
  return change(__func__, node, cudaGraphNodeTypeMemset, [&](Runtime&) { return node_of(params); });
}
VGPU_EXPORT cudaError_t cudaGraphHostNodeSetParams(cudaGraphNode_t node,
                                                   const cudaHostNodeParams* params) {
  return change(__func__, node, cudaGraphNodeTypeHost, [&](Runtime&) { return node_of(params); });
}

VGPU_EXPORT cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t executable,
                                                         cudaGraphNode_t node,
                                                         const cudaKernelNodeParams* params) {
  return change_executable(__func__, executable, node, cudaGraphNodeTypeKernel,
                           [&](Runtime& runtime) { return node_of(runtime, params); });
}
VGPU_EXPORT cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t executable,
                                                           cudaGraphNode_t node, void* target,
                                                           const void* source, size_t bytes,
                                                           cudaMemcpyKind kind) {
  return change_executable(__func__, executable, node, cudaGraphNodeTypeMemcpy,
                           [&](Runtime&) { return node_of(target, source, bytes, kind); });
}
VGPU_EXPORT cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t executable,
                                                         cudaGraphNode_t node,
                                                         const cudaMemcpy3DParms* params) {
  return change_executable(__func__, executable, node, cudaGraphNodeTypeMemcpy,
                           [&](Runtime&) { return node_of(params); });
}
VGPU_EXPORT cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t executable,
                                                         cudaGraphNode_t node,
                                                         const cudaMemsetParams* params) {
  return change_executable(__func__, executable, node, cudaGraphNodeTypeMemset,
                           [&](Runtime&) { return node_of(params); });
}
VGPU_EXPORT cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t executable,
                                                       cudaGraphNode_t node,
                                                       const cudaHostNodeParams* params) {
  return change_executable(__func__, executable, node, cudaGraphNodeTypeHost,
                           [&](Runtime&) { return node_of(params); });
}
