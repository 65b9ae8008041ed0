// Several host threads, each with a stream and memory of its own; then all on the per-thread
// default stream; errors belong to threads.

// nvcc: --default-stream per-thread

#include <mutex>
#include <thread>

#include "field.cuh"

__device__ int launches;

__global__ void rotate(const int* in, int* out, int n, int by) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[(i + by) % n] + by;
  if (i == 0) atomicAdd(&launches, 1);
}

int main() {
  const int threads = 6, n = 2000;
  std::vector<std::vector<int>> results(threads);
  std::vector<cudaError_t> errors(threads);
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      CHECK(cudaSetDevice(0));
      cudaStream_t stream = cudaStreamPerThread;
      if (t % 2 == 0) CHECK(cudaStreamCreate(&stream));
      int* a = to_device(random_ints(n, 0, 999, 470u + static_cast<unsigned>(t)));
      int* b = device_array<int>(n);
      for (int k = 1; k <= 20; ++k) {
        rotate<<<(n + 127) / 128, 128, 0, stream>>>(a, b, n, k + t);
        std::swap(a, b);
      }
      CHECK(cudaStreamSynchronize(stream));
      results[t] = to_host(a, n);
      if (t == 3) (void)cudaMalloc(&b, ~size_t{0});
      errors[t] = cudaGetLastError();
      CHECK(cudaFree(a));
    });
  }
  for (std::thread& t : pool) t.join();
  for (int t = 0; t < threads; ++t) {
    show("thread", results[t]);
    std::printf("%s\n", cudaGetErrorName(errors[t]));
  }
  int count;
  CHECK(cudaMemcpyFromSymbol(&count, launches, sizeof count));
  std::printf("%d launches\n", count);
}
