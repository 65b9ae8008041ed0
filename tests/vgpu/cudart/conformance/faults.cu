// After a fault on the device; errors of threads.
#include <cassert>
#include <cstring>
#include <thread>

#include "show.cuh"

__global__ void stop() {
  __trap();
}
__global__ void refuse(int n) {
  assert(n > 3);
}
__global__ void misaligned(char* out) {
  *reinterpret_cast<float4*>(out + 4) = {1, 2, 3, 4};
}
__global__ void stray_write(int* out) {
  out[threadIdx.x] = 1;
}

void show_calls_after_a_fault() {
  int *wild = reinterpret_cast<int*>(0x10), *good = nullptr, host = 0, value = 0;
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  SHOW("malloc", cudaMalloc(&good, 4));
  SHOW("stream", cudaStreamCreate(&stream));
  SHOW("event", cudaEventCreate(&event));
  stray_write<<<1, 32>>>(wild);
  std::printf("after launch = %s\n", cudaGetErrorName(cudaPeekAtLastError()));
  SHOW("device synchronize", cudaDeviceSynchronize());
  std::printf("peek = %s\n", cudaGetErrorName(cudaPeekAtLastError()));
  SHOW("device synchronize again", cudaDeviceSynchronize());
  SHOW("stream synchronize", cudaStreamSynchronize(stream));
  SHOW("stream query", cudaStreamQuery(stream));
  SHOW("event record", cudaEventRecord(event, stream));
  SHOW("event query", cudaEventQuery(event));
  SHOW("event synchronize", cudaEventSynchronize(event));
  SHOW("memcpy", cudaMemcpy(&host, good, 4, cudaMemcpyDeviceToHost));
  SHOW("memcpyAsync", cudaMemcpyAsync(&host, good, 4, cudaMemcpyDeviceToHost));
  SHOW("memset", cudaMemset(good, 0, 4));
  SHOW("malloc", cudaMalloc(&good, 4));
  SHOW("free", cudaFree(good));
  SHOW("free null", cudaFree(nullptr));
  fill<<<1, 1>>>(good, 1, 1);
  SHOW("launch", cudaGetLastError());
  fill<<<1, 0>>>(good, 1, 1);
  SHOW("launch zero block", cudaGetLastError());
  SHOW("function attribute",
       cudaFuncSetAttribute(fill, cudaFuncAttributeMaxDynamicSharedMemorySize, 1024));
  SHOW("get device", cudaGetDevice(&value));
  SHOW("set device", cudaSetDevice(0));
  SHOW("device count", cudaGetDeviceCount(&value));
  SHOW("attribute", cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 0));
  SHOW("runtime version", cudaRuntimeGetVersion(&value));
  SHOW("stream create", cudaStreamCreate(&stream));
  SHOW("event destroy", cudaEventDestroy(event));
  SHOW("limit", cudaDeviceSetLimit(cudaLimitStackSize, 4096));
  SHOW("synchronize at the end", cudaDeviceSynchronize());
}

void show_fault(const char* kind) {
  char* buffer = nullptr;
  cudaMalloc(&buffer, 64);
  if (std::strcmp(kind, "trap") == 0) stop<<<1, 1>>>();
  if (std::strcmp(kind, "assert") == 0) refuse<<<1, 1>>>(2);
  if (std::strcmp(kind, "misaligned") == 0) misaligned<<<1, 1>>>(buffer);
  if (std::strcmp(kind, "reset") == 0) stray_write<<<1, 1>>>(nullptr);
  std::printf("after launch = %s\n", cudaGetErrorName(cudaPeekAtLastError()));
  char host = 0;
  SHOW(kind, cudaMemcpy(&host, buffer, 1, cudaMemcpyDeviceToHost));
  SHOW("device reset", cudaDeviceReset());
  SHOW("malloc after the reset", cudaMalloc(&buffer, 64));
}

void show_thread_errors() {
  int value = 0;
  cudaSetDevice(99);
  cudaGetDevice(&value);
  std::printf("peek after a success = %s\n", cudaGetErrorName(cudaPeekAtLastError()));
  std::thread([] {
    std::printf("peek in a new thread = %s\n", cudaGetErrorName(cudaPeekAtLastError()));
  }).join();
  std::printf("get = %s\n", cudaGetErrorName(cudaGetLastError()));
  std::printf("get again = %s\n", cudaGetErrorName(cudaGetLastError()));
}
