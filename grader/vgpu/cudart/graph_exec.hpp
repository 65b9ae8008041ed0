// Executable graphs: a copy of a graph, and the order in which its nodes run.
#pragma once

#include "cudart/graph.hpp"

namespace vgpu::cudart {

/// The executable copy of a node of the graph that it was made from. Fails with
/// cudaErrorInvalidValue when there is none.
CUgraphNode_st& require_executable_node(cudaGraphExec_t executable, cudaGraphNode_t node);

/// Runs nodes one after the other, up to the first error, which is returned. Call without the
/// runtime's lock.
cudaError_t run_in_order(const std::vector<cudaGraphNode_t>& nodes);

}  // namespace vgpu::cudart
