// The runtime calls around a kernel: streams, events, asynchronous copies, pinned memory, memset,
// copies between device buffers, device properties and attributes, occupancy.
#include "program.cuh"

__global__ void add(int* x, int by, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] += by;
}

int main() {
  int count = 0, device = -1;
  CHECK(cudaGetDeviceCount(&count));
  CHECK(cudaSetDevice(0));
  CHECK(cudaGetDevice(&device));
  expect("device", device, 0);
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  expect("warp size", properties.warpSize, 32);
  expect("a name", properties.name[0] != '\0', true);
  expect("compute capability at least 8", properties.major >= 8, true);
  int processors = 0;
  CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0));
  expect("multiprocessors", processors, properties.multiProcessorCount);
  int blocks = 0;
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, add, 128, 0));
  expect("blocks per multiprocessor > 0", blocks > 0, true);
  size_t free_bytes = 0, total_bytes = 0;
  CHECK(cudaMemGetInfo(&free_bytes, &total_bytes));
  expect("memory", free_bytes > 0 && free_bytes <= total_bytes, true);
  cudaFuncAttributes attributes;
  CHECK(cudaFuncGetAttributes(&attributes, add));
  expect("threads per block of add", attributes.maxThreadsPerBlock, 1024);

  const int n = 1000;
  int* host = nullptr;
  int *a = nullptr, *b = nullptr;
  CHECK(cudaMallocHost(&host, n * sizeof(int)));
  CHECK(cudaMalloc(&a, n * sizeof(int)));
  CHECK(cudaMalloc(&b, n * sizeof(int)));
  for (int i = 0; i < n; ++i) host[i] = i;
  cudaStream_t first, second;
  CHECK(cudaStreamCreate(&first));
  CHECK(cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking));
  cudaEvent_t start, done;
  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&done));

  CHECK(cudaEventRecord(start, first));
  CHECK(cudaMemcpyAsync(a, host, n * sizeof(int), cudaMemcpyHostToDevice, first));
  add<<<4, 256, 0, first>>>(a, 7, n);
  CHECK(cudaEventRecord(done, first));
  CHECK(cudaStreamWaitEvent(second, done, 0));
  CHECK(cudaMemcpyAsync(b, a, n * sizeof(int), cudaMemcpyDeviceToDevice, second));
  add<<<4, 256, 0, second>>>(b, 100, n);
  CHECK(cudaMemsetAsync(b, 0x01, 10 * sizeof(int), second));
  CHECK(cudaStreamSynchronize(second));
  CHECK(cudaEventSynchronize(done));
  CHECK(cudaEventQuery(done));
  float milliseconds = -1.0f;
  CHECK(cudaEventElapsedTime(&milliseconds, start, done));
  expect("elapsed time >= 0", milliseconds >= 0.0f, true);

  std::vector<int> got(n), want(n);
  CHECK(cudaMemcpy(got.data(), b, n * sizeof(int), cudaMemcpyDefault));
  for (int i = 0; i < n; ++i) want[i] = i < 10 ? 0x01010101 : i + 107;
  expect("b", got, want);
  CHECK(cudaMemset(a, 0, n * sizeof(int)));
  CHECK(cudaMemcpy(got.data(), a, n * sizeof(int), cudaMemcpyDeviceToHost));
  expect("a", got, std::vector<int>(n, 0));

  CHECK(cudaEventDestroy(start));
  CHECK(cudaEventDestroy(done));
  CHECK(cudaStreamDestroy(first));
  CHECK(cudaStreamDestroy(second));
  CHECK(cudaFree(a));
  CHECK(cudaFree(b));
  CHECK(cudaFree(nullptr));
  CHECK(cudaFreeHost(host));
  return verdict();
}
