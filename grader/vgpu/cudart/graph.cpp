// Graphs as data: nodes and edges.
#include "cudart/graph.hpp"

#include <algorithm>
#include <cstring>
#include <set>

using namespace vgpu::cudart;

namespace {

// Under the runtime's lock. Never destroyed: programs may free graphs in destructors of static
// objects.
std::map<cudaGraph_t, std::unique_ptr<CUgraph_st>>& graphs() {
  static auto* const all = new std::map<cudaGraph_t, std::unique_ptr<CUgraph_st>>;
  return *all;
}

using Nodes = std::vector<cudaGraphNode_t>;

/// Answers "how many?" when `to` is null, else fills it as far as `count` says.
void give(const Nodes& nodes, cudaGraphNode_t* to, size_t* count) {
  if (to != nullptr) {
    std::copy_n(nodes.begin(), std::min(nodes.size(), *count), to);
    std::fill(to + std::min(nodes.size(), *count), to + *count, nullptr);
  }
  output(count) = nodes.size();
}

Nodes all_of(const CUgraph_st& graph) {
  Nodes nodes;
  for (const auto& node : graph.nodes) nodes.push_back(node.get());
  return nodes;
}

}  // namespace

cudaGraphNode_t CUgraph_st::add(GraphWork work, Nodes dependencies) {
  nodes.push_back(
      std::make_unique<CUgraphNode_st>(CUgraphNode_st{std::move(work), std::move(dependencies)}));
  return nodes.back().get();
}

bool CUgraph_st::holds(cudaGraphNode_t node) const {
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](const auto& own) { return own.get() == node; });
}

Nodes CUgraph_st::in_order() const {
  Nodes order;
  std::set<cudaGraphNode_t> done;
  while (order.size() < nodes.size()) {
    const size_t before = order.size();
    for (const auto& node : nodes) {
      if (done.contains(node.get()) ||
          !std::all_of(node->dependencies.begin(), node->dependencies.end(),
                       [&](cudaGraphNode_t d) { return done.contains(d); }))
        continue;
      order.push_back(node.get());
      done.insert(node.get());
    }
    if (order.size() == before)
      fail(cudaErrorInvalidValue, "the nodes of the graph depend on one another in a circle");
  }
  return order;
}

std::unique_ptr<CUgraph_st> CUgraph_st::clone() const {
  auto copy = std::make_unique<CUgraph_st>();
  std::map<cudaGraphNode_t, cudaGraphNode_t> twin;
  for (const auto& node : nodes) {
    twin[node.get()] = copy->add(node->work, {});
    copy->nodes.back()->origin = node.get();
  }
  for (const auto& node : nodes)
    for (const cudaGraphNode_t d : node->dependencies)
      twin[node.get()]->dependencies.push_back(twin[d]);
  return copy;
}

namespace vgpu::cudart {

CUgraph_st& require_graph(cudaGraph_t graph) {
  if (!graphs().contains(graph)) fail(cudaErrorInvalidValue, "the graph does not exist");
  return *graph;
}

void add_graph(std::unique_ptr<CUgraph_st> graph) {
  const cudaGraph_t handle = graph.get();
  graphs()[handle] = std::move(graph);
}

}  // namespace vgpu::cudart

VGPU_EXPORT cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned flags) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    if (flags != 0) fail(cudaErrorInvalidValue, "flags must be 0");
    auto made = std::make_unique<CUgraph_st>();
    output(graph) = made.get();
    add_graph(std::move(made));
  });
}

VGPU_EXPORT cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    require_graph(graph);
    graphs().erase(graph);
  });
}

VGPU_EXPORT cudaError_t cudaGraphClone(cudaGraph_t* clone, cudaGraph_t original) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    auto made = require_graph(original).clone();
    output(clone) = made.get();
    add_graph(std::move(made));
  });
}

VGPU_EXPORT cudaError_t cudaGraphNodeFindInClone(cudaGraphNode_t* node, cudaGraphNode_t original,
                                                 cudaGraph_t clone) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    const auto& nodes = require_graph(clone).nodes;
    const auto found = std::find_if(nodes.begin(), nodes.end(),
                                    [&](const auto& own) { return own->origin == original; });
    if (found == nodes.end()) fail(cudaErrorInvalidValue, "the clone has no such node");
    output(node) = found->get();
  });
}

VGPU_EXPORT cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes,
                                          size_t* count) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime&) { give(all_of(require_graph(graph)), nodes, count); });
}

VGPU_EXPORT cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes,
                                              size_t* count) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    Nodes roots = all_of(require_graph(graph));
    std::erase_if(roots, [](cudaGraphNode_t node) { return !node->dependencies.empty(); });
    give(roots, nodes, count);
  });
}

VGPU_EXPORT cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from,
                                          cudaGraphNode_t* to, cudaGraphEdgeData* data,
                                          size_t* count) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    Nodes first, second;
    for (const auto& node : require_graph(graph).nodes) {
      for (const cudaGraphNode_t d : node->dependencies) {
        first.push_back(d);
        second.push_back(node.get());
      }
    }
    if ((from == nullptr) != (to == nullptr))
      fail(cudaErrorInvalidValue, "one of the two lists is null");
    if (data != nullptr && from != nullptr)
      std::memset(data, 0, std::min(*count, first.size()) * sizeof *data);
    size_t room = output(count);
    give(first, from, &room);
    give(second, to, count);
  });
}

VGPU_EXPORT cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node,
                                                     cudaGraphNode_t* dependencies,
                                                     cudaGraphEdgeData*, size_t* count) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime&) { give(output(node).dependencies, dependencies, count); });
}

VGPU_EXPORT cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime&) { output(type) = output(node).work.type; });
}

VGPU_EXPORT cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                                 const cudaGraphNode_t* to,
                                                 const cudaGraphEdgeData*, size_t count) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    const CUgraph_st& own = require_graph(graph);
    for (size_t k = 0; k < count; ++k) {
      if (!own.holds(from[k]) || !own.holds(to[k]))
        fail(cudaErrorInvalidValue, "a node is not of this graph");
      to[k]->dependencies.push_back(from[k]);
    }
  });
}

VGPU_EXPORT cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                                    const cudaGraphNode_t* to,
                                                    const cudaGraphEdgeData*, size_t count) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    const CUgraph_st& own = require_graph(graph);
    for (size_t k = 0; k < count; ++k) {
      if (!own.holds(to[k]) || std::erase(to[k]->dependencies, from[k]) == 0)
        fail(cudaErrorInvalidValue, "there is no such edge");
    }
  });
}

VGPU_EXPORT cudaError_t cudaGraphDestroyNode(cudaGraphNode_t node) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    const auto owner = std::find_if(graphs().begin(), graphs().end(),
                                    [&](const auto& entry) { return entry.second->holds(node); });
    if (owner == graphs().end()) fail(cudaErrorInvalidValue, "the node does not exist");
    for (const auto& other : owner->second->nodes) std::erase(other->dependencies, node);
    std::erase_if(owner->second->nodes, [&](const auto& own) { return own.get() == node; });
  });
}
