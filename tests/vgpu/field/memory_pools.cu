// Stream-ordered allocation: the default pool, a pool of its own, attributes, memory handed from
// stream to stream.
#include "field.cuh"

__global__ void fill(int* data, int n, int seed) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) data[i] = i * seed;
}
__global__ void add(const int* a, const int* b, int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = a[i] + b[i];
}

int main() {
  int supported = 0;
  CHECK(cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, 0));
  std::printf("pools: %d\n", supported);
  cudaStream_t stream, other;
  CHECK(cudaStreamCreate(&stream));
  CHECK(cudaStreamCreate(&other));
  cudaMemPool_t pool;
  CHECK(cudaDeviceGetDefaultMemPool(&pool, 0));
  uint64_t threshold = UINT64_MAX, back = 0;
  CHECK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
  CHECK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &back));
  std::printf("threshold kept: %d\n", back == threshold);

  const int n = 4096;
  for (int round = 1; round <= 3; ++round) {
    int *a, *b, *out;
    CHECK(cudaMallocAsync(&a, n * sizeof(int), stream));
    CHECK(cudaMallocAsync(&b, n * sizeof(int), stream));
    CHECK(cudaMallocAsync(&out, n * sizeof(int), stream));
    fill<<<n / 256, 256, 0, stream>>>(a, n, round);
    fill<<<n / 256, 256, 0, stream>>>(b, n, 10 * round);
    add<<<n / 256, 256, 0, stream>>>(a, b, out, n);
    CHECK(cudaFreeAsync(a, stream));
    CHECK(cudaFreeAsync(b, stream));
    CHECK(cudaStreamSynchronize(stream));
    show("sum", out, n);
    CHECK(cudaFreeAsync(out, stream));
  }

  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = 0;
  cudaMemPool_t own;
  CHECK(cudaMemPoolCreate(&own, &properties));
  int* data;
  CHECK(cudaMallocFromPoolAsync(reinterpret_cast<void**>(&data), n * sizeof(int), own, stream));
  uint64_t used = 0;
  CHECK(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemCurrent, &used));
  std::printf("used: %d\n", used >= n * sizeof(int));
  fill<<<n / 256, 256, 0, stream>>>(data, n, 3);
  cudaEvent_t ready;
  CHECK(cudaEventCreate(&ready));
  CHECK(cudaEventRecord(ready, stream));
  CHECK(cudaStreamWaitEvent(other, ready, 0));
  add<<<n / 256, 256, 0, other>>>(data, data, data, n);
  CHECK(cudaStreamSynchronize(other));
  show("own pool", data, n);
  CHECK(cudaFreeAsync(data, other));
  CHECK(cudaStreamSynchronize(other));
  CHECK(cudaMemPoolTrimTo(own, 0));
  CHECK(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemCurrent, &used));
  std::printf("used: %llu\n", static_cast<unsigned long long>(used));
  CHECK(cudaDeviceSetMemPool(0, own));
  CHECK(cudaMallocAsync(reinterpret_cast<void**>(&data), 64, stream));
  CHECK(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemCurrent, &used));
  std::printf("current pool used: %d\n", used >= 64);
  CHECK(cudaFreeAsync(data, stream));
  CHECK(cudaDeviceSetMemPool(0, pool));
  CHECK(cudaStreamSynchronize(stream));
  CHECK(cudaMemPoolDestroy(own));
}
