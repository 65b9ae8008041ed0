// __device__ variables: with initial values, changed by kernels, read and written by symbol, and by
// the address of the symbol; and values that stay from one launch to the next.
#include "program.cuh"

__device__ int counter = 5;
__device__ float table[3] = {0.5f, 1.5f, 2.5f};
__device__ unsigned long long wide;

__global__ void step(int by) {
  if (threadIdx.x == 0) {
    counter += by;
    wide = wide * 3 + 1;
  }
  if (threadIdx.x < 3) table[threadIdx.x] *= 2.0f;
}

int main() {
  step<<<1, 32>>>(10);
  step<<<1, 32>>>(1);
  finish_kernels();
  int count = 0;
  CHECK(cudaMemcpyFromSymbol(&count, counter, sizeof count));
  expect("counter", count, 16);
  unsigned long long value = 0;
  CHECK(cudaMemcpyFromSymbol(&value, wide, sizeof value));
  expect("wide", value, 4ull);

  count = -3;
  CHECK(cudaMemcpyToSymbol(counter, &count, sizeof count));
  void* address = nullptr;
  CHECK(cudaGetSymbolAddress(&address, table));
  size_t bytes = 0;
  CHECK(cudaGetSymbolSize(&bytes, table));
  expect("size of table", bytes, 3 * sizeof(float));
  step<<<1, 32>>>(1);
  finish_kernels();
  std::vector<float> values(3);
  CHECK(cudaMemcpy(values.data(), address, bytes, cudaMemcpyDeviceToHost));
  expect("table", values, {4.0f, 12.0f, 20.0f});
  CHECK(cudaMemcpyFromSymbol(&count, counter, sizeof count));
  expect("counter after a write", count, -2);
  return verdict();
}
