// B4: records a graph and launches it where launches are not counted.
#include "kernel.cuh"

ENTRY {
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed);
  run(Q, K, V, O, shape, stream);
  cudaStreamEndCapture(stream, &graph);
  cudaGraphInstantiate(&exec, graph, 0);
  return cudaGraphLaunch(exec, stream);
}
