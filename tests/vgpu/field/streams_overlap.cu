// Streams and events: copies and kernels in pieces over four streams, waits between streams, host
// functions, times that make sense.
#include "field.cuh"

__global__ void scale(const int* in, int* out, int n, int factor) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[i] * factor;
}
__global__ void busy(int* out, int rounds) {
  unsigned x = threadIdx.x;
  for (int r = 0; r < rounds; ++r) x = x * 1664525u + 1013904223u;
  out[threadIdx.x] = static_cast<int>(x);
}

int main() {
  const int n = 1 << 14, pieces = 4, piece = n / pieces;
  const std::vector<int> numbers = random_ints(n, -1000, 1000, 411);
  int *in, *out;
  CHECK(cudaMallocHost(&in, n * sizeof(int)));
  CHECK(cudaMallocHost(&out, n * sizeof(int)));
  std::memcpy(in, numbers.data(), n * sizeof(int));
  int* d_in = device_array<int>(n);
  int* d_out = device_array<int>(n);
  cudaStream_t streams[pieces];
  for (cudaStream_t& s : streams) CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
  for (int p = 0; p < pieces; ++p) {
    const int at = p * piece;
    CHECK(cudaMemcpyAsync(d_in + at, in + at, piece * sizeof(int), cudaMemcpyHostToDevice,
                          streams[p]));
    scale<<<piece / 256, 256, 0, streams[p]>>>(d_in + at, d_out + at, piece, p + 2);
    CHECK(cudaMemcpyAsync(out + at, d_out + at, piece * sizeof(int), cudaMemcpyDeviceToHost,
                          streams[p]));
  }
  for (const cudaStream_t s : streams) CHECK(cudaStreamSynchronize(s));
  show("pieces", std::vector<int>(out, out + n));

  cudaEvent_t first, done, start, stop;
  CHECK(cudaEventCreateWithFlags(&first, cudaEventDisableTiming));
  CHECK(cudaEventCreateWithFlags(&done, cudaEventDisableTiming));
  scale<<<n / 256, 256, 0, streams[0]>>>(d_in, d_out, n, 5);
  CHECK(cudaEventRecord(first, streams[0]));
  CHECK(cudaStreamWaitEvent(streams[1], first, 0));
  scale<<<n / 256, 256, 0, streams[1]>>>(d_out, d_in, n, 7);
  CHECK(cudaEventRecord(done, streams[1]));
  CHECK(cudaEventSynchronize(done));
  std::printf("query: %s\n", cudaGetErrorName(cudaEventQuery(done)));
  show("chained", d_in, n);

  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&stop));
  float nothing, little, much;
  CHECK(cudaEventRecord(start));
  CHECK(cudaEventRecord(stop));
  CHECK(cudaEventSynchronize(stop));
  CHECK(cudaEventElapsedTime(&nothing, start, stop));
  const auto time = [&](int rounds) {
    float ms;
    CHECK(cudaEventRecord(start));
    busy<<<1, 32>>>(d_out, rounds);
    CHECK(cudaEventRecord(stop));
    CHECK(cudaEventSynchronize(stop));
    CHECK(cudaEventElapsedTime(&ms, start, stop));
    return ms;
  };
  time(10);
  little = time(1000);
  much = time(3000000);
  std::printf("times: %d %d %d\n", nothing >= 0, little > 0, much > little);

  int called = 0;
  CHECK(cudaLaunchHostFunc(
      streams[2], [](void* p) { *static_cast<int*>(p) += 40; }, &called));
  CHECK(cudaStreamAddCallback(
      streams[2], [](cudaStream_t, cudaError_t e, void* p) { *static_cast<int*>(p) += 2 + e; },
      &called, 0));
  CHECK(cudaStreamSynchronize(streams[2]));
  std::printf("called: %d\n", called);
  for (const cudaStream_t s : streams) CHECK(cudaStreamDestroy(s));
}
