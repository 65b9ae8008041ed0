// What calls report when they are wrong, that the report is taken once, and that a fault in a
// kernel shows at the next synchronisation and then stays.
#include <cstring>

#include "program.cuh"

__global__ void store(int* at) {
  *at = 1;
}

__global__ void store_each(int* at) {
  at[threadIdx.x] = 1;
}

int main() {
  void* memory = nullptr;
  expect("too much memory", cudaMalloc(&memory, size_t{1} << 50), cudaErrorMemoryAllocation);
  expect("taken once", cudaGetLastError(), cudaErrorMemoryAllocation);
  expect("then forgotten", cudaGetLastError(), cudaSuccess);

  DeviceArray<int> cell(1);
  store<<<1, 2048>>>(cell.data());
  expect("peek at 2048 threads", cudaPeekAtLastError(), cudaErrorInvalidValue);
  expect("2048 threads", cudaGetLastError(), cudaErrorInvalidValue);
  store<<<0, 32>>>(cell.data());
  expect("no blocks", cudaGetLastError(), cudaErrorInvalidValue);
  store<<<1, 32, 1 << 20>>>(cell.data());
  expect("1 MiB of shared memory", cudaGetLastError(), cudaErrorInvalidValue);
  expect("no such device", cudaSetDevice(1000), cudaErrorInvalidDevice);
  expect("after a bad device", cudaGetLastError(), cudaErrorInvalidDevice);
  expect("name", std::strcmp(cudaGetErrorName(cudaErrorInvalidValue), "cudaErrorInvalidValue"), 0);
  expect("text", cudaGetErrorString(cudaErrorInvalidValue)[0] != '\0', true);

  store<<<1, 1>>>(cell.data());
  finish_kernels();
  expect("the device still works", cell.host(), {1});

  // 32 words that end where addresses do: their end is 0.
  store_each<<<1, 32>>>(static_cast<int*>(nullptr) - 32);
  expect("the launch itself is fine", cudaGetLastError(), cudaSuccess);
  expect("the fault", cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  expect("it stays", cudaMalloc(&memory, 16), cudaErrorIllegalAddress);
  std::exit(verdict());  // the device is lost: no more frees
}
