// Variables of the device, and what cudaDeviceReset does to them.
#include "show.cuh"

__device__ int device_counter = 41;
__constant__ int constant_table[4] = {1, 2, 3, 4};
__managed__ int managed_counter = 7;

__global__ void use_symbols(int* out) {
  out[threadIdx.x] = constant_table[threadIdx.x] * 10 + device_counter;
}

__global__ void bump_managed(int by) {
  managed_counter += by;
}

void show_symbols() {
  int value = 5, table[4] = {};
  void* address = nullptr;
  size_t size = 0;
  SHOW("memcpyToSymbol", cudaMemcpyToSymbol(device_counter, &value, sizeof value));
  SHOW("memcpyFromSymbol", cudaMemcpyFromSymbol(table, constant_table, sizeof table));
  VALUE("constant 3", table[3]);
  SHOW("memcpyFromSymbol offset", cudaMemcpyFromSymbol(table, constant_table, 4, 8));
  VALUE("constant 2", table[0]);
  SHOW("memcpyToSymbol past the end", cudaMemcpyToSymbol(device_counter, table, 8));
  SHOW("memcpyToSymbol offset past the end", cudaMemcpyToSymbol(device_counter, table, 4, 4));
  SHOW("memcpyToSymbol unknown", cudaMemcpyToSymbol(value, table, 4));
  SHOW("memcpyToSymbol wrong direction",
       cudaMemcpyToSymbol(device_counter, table, 4, 0, cudaMemcpyDeviceToHost));
  SHOW("getSymbolAddress", cudaGetSymbolAddress(&address, device_counter));
  SHOW("memcpy from symbol address", cudaMemcpy(table, address, 4, cudaMemcpyDeviceToHost));
  VALUE("device counter", table[0]);
  SHOW("getSymbolSize", cudaGetSymbolSize(&size, constant_table));
  VALUE("size", size);
  SHOW("getSymbolSize unknown", cudaGetSymbolSize(&size, value));
  int *out = nullptr, results[4] = {};
  cudaMalloc(&out, sizeof results);
  use_symbols<<<1, 4>>>(out);
  cudaMemcpy(results, out, sizeof results, cudaMemcpyDeviceToHost);
  VALUE("use_symbols 3", results[3]);
  cudaFree(out);
  VALUE("managed from host", managed_counter);
  bump_managed<<<1, 1>>>(3);
  SHOW("sync", cudaDeviceSynchronize());
  VALUE("managed after the kernel", managed_counter);
}

void show_reset() {
  int *memory = nullptr, value = 0;
  cudaMalloc(&memory, 4);
  value = 1234;
  cudaMemcpyToSymbol(device_counter, &value, 4);
  SHOW("reset", cudaDeviceReset());
  SHOW("memory after the reset", cudaMemset(memory, 0, 4));
  SHOW("variable after the reset", cudaMemcpyFromSymbol(&value, device_counter, 4));
  VALUE("device counter", value);
}
