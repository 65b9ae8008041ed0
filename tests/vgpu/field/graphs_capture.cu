// Graphs by capture: a chain, a fork and a join by events, replays with changed data, and an update
// of the executable graph.
#include "field.cuh"

__global__ void scale(int* data, int n, int factor) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) data[i] = data[i] * factor % 10007;
}
__global__ void add(const int* a, const int* b, int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = a[i] + b[i];
}

int main() {
  const int n = 3000, blocks = (n + 255) / 256;
  int* a = to_device(random_ints(n, 0, 999, 421));
  int* b = to_device(random_ints(n, 0, 999, 422));
  int* sum = to_device(std::vector<int>(n, -1));
  std::vector<int> host(n, 0);
  cudaStream_t main_stream, side;
  CHECK(cudaStreamCreate(&main_stream));
  CHECK(cudaStreamCreate(&side));
  cudaEvent_t fork, join;
  CHECK(cudaEventCreate(&fork));
  CHECK(cudaEventCreate(&join));

  const auto capture = [&](int factor) {
    cudaGraph_t graph;
    CHECK(cudaStreamBeginCapture(main_stream, cudaStreamCaptureModeGlobal));
    CHECK(cudaEventRecord(fork, main_stream));
    CHECK(cudaStreamWaitEvent(side, fork, 0));
    scale<<<blocks, 256, 0, main_stream>>>(a, n, factor);
    scale<<<blocks, 256, 0, side>>>(b, n, factor + 1);
    CHECK(cudaEventRecord(join, side));
    CHECK(cudaStreamWaitEvent(main_stream, join, 0));
    add<<<blocks, 256, 0, main_stream>>>(a, b, sum, n);
    CHECK(cudaMemcpyAsync(host.data(), sum, n * sizeof(int), cudaMemcpyDeviceToHost, main_stream));
    CHECK(cudaMemsetAsync(sum, 0, n * sizeof(int), main_stream));
    cudaStreamCaptureStatus status;
    CHECK(cudaStreamIsCapturing(main_stream, &status));
    std::printf("capturing: %d\n", status == cudaStreamCaptureStatusActive);
    CHECK(cudaStreamEndCapture(main_stream, &graph));
    return graph;
  };
  cudaGraph_t graph = capture(3);
  show("nothing has run yet", a, n);
  size_t nodes = 0;
  CHECK(cudaGraphGetNodes(graph, nullptr, &nodes));
  std::printf("%zu nodes\n", nodes);

  cudaGraphExec_t executable;
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  for (int run = 0; run < 4; ++run) {
    CHECK(cudaGraphLaunch(executable, main_stream));
    CHECK(cudaStreamSynchronize(main_stream));
    show("replay", host);
  }
  show("cleared", sum, n);

  cudaGraph_t other = capture(5);
  cudaGraphExecUpdateResultInfo info{};
  CHECK(cudaGraphExecUpdate(executable, other, &info));
  std::printf("update: %d\n", info.result == cudaGraphExecUpdateSuccess);
  CHECK(cudaGraphLaunch(executable, main_stream));
  CHECK(cudaStreamSynchronize(main_stream));
  show("after the update", host);
  CHECK(cudaGraphExecDestroy(executable));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaGraphDestroy(other));

  // What may not be captured ends the capture.
  CHECK(cudaStreamBeginCapture(main_stream, cudaStreamCaptureModeThreadLocal));
  std::printf("synchronise: %s\n", cudaGetErrorName(cudaStreamSynchronize(main_stream)));
  std::printf("end: %s\n", cudaGetErrorName(cudaStreamEndCapture(main_stream, &graph)));
  (void)cudaGetLastError();
  scale<<<blocks, 256, 0, main_stream>>>(a, n, 2);
  CHECK(cudaStreamSynchronize(main_stream));
  show("as before", a, n);
}
