// A graph made by hand: copy, two kernels, memset, a host function, another copy; parameters
// changed in the executable graph.
#include "field.cuh"

__global__ void square(const int* in, int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[i] * in[i];
}
__global__ void reduce(const int* in, unsigned long long* sum, int n) {
  unsigned long long mine = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) mine += in[i];
  atomicAdd(sum, mine);
}

struct Report {
  unsigned long long sum = 0;
  int calls = 0;
};

int main() {
  int n = 5000;
  std::vector<int> numbers = random_ints(n, -100, 100, 431);
  int* in = device_array<int>(n);
  int* squares = device_array<int>(n);
  unsigned long long* sum = device_array<unsigned long long>(1);
  Report report;

  cudaGraph_t graph;
  CHECK(cudaGraphCreate(&graph, 0));
  cudaGraphNode_t copy_in, clear, first, second, copy_out, tell;
  CHECK(cudaGraphAddMemcpyNode1D(&copy_in, graph, nullptr, 0, in, numbers.data(), n * sizeof(int),
                                 cudaMemcpyHostToDevice));
  cudaMemsetParams zero{};
  zero.dst = sum;
  zero.elementSize = 4;
  zero.width = 2;
  zero.height = 1;
  CHECK(cudaGraphAddMemsetNode(&clear, graph, nullptr, 0, &zero));
  void* first_arguments[] = {&in, &squares, &n};
  cudaKernelNodeParams kernel{};
  kernel.func = reinterpret_cast<void*>(square);
  kernel.gridDim = dim3((n + 255) / 256);
  kernel.blockDim = dim3(256);
  kernel.kernelParams = first_arguments;
  CHECK(cudaGraphAddKernelNode(&first, graph, &copy_in, 1, &kernel));
  void* second_arguments[] = {&squares, &sum, &n};
  kernel.func = reinterpret_cast<void*>(reduce);
  kernel.gridDim = dim3(1);
  kernel.kernelParams = second_arguments;
  const cudaGraphNode_t both[] = {first, clear};
  CHECK(cudaGraphAddKernelNode(&second, graph, both, 2, &kernel));
  CHECK(cudaGraphAddMemcpyNode1D(&copy_out, graph, &second, 1, &report.sum, sum, sizeof report.sum,
                                 cudaMemcpyDeviceToHost));
  cudaHostNodeParams host{};
  host.fn = [](void* p) { ++static_cast<Report*>(p)->calls; };
  host.userData = &report;
  CHECK(cudaGraphAddHostNode(&tell, graph, &copy_out, 1, &host));
  size_t nodes = 0, edges = 0;
  CHECK(cudaGraphGetNodes(graph, nullptr, &nodes));
  CHECK(cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges));
  std::printf("%zu nodes, %zu edges\n", nodes, edges);

  cudaGraphExec_t executable;
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream));
  const auto run = [&] {
    CHECK(cudaGraphLaunch(executable, stream));
    CHECK(cudaStreamSynchronize(stream));
    std::printf("sum %llu, calls %d\n", report.sum, report.calls);
  };
  run();
  numbers[0] += 1000;
  run();
  int fewer = 1000;
  void* changed[] = {&squares, &sum, &fewer};
  kernel.kernelParams = changed;
  CHECK(cudaGraphExecKernelNodeSetParams(executable, second, &kernel));
  run();
  cudaGraph_t clone;
  CHECK(cudaGraphClone(&clone, graph));
  CHECK(cudaGraphExecDestroy(executable));
  CHECK(cudaGraphInstantiate(&executable, clone, 0));
  run();
}
