// Launches: configurations that are refused, and what kernels answer.
#include "show.cuh"

__global__ void fill(int* out, int n, int value) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = value + i;
}
__global__ void __launch_bounds__(64) bounded(int* out) {
  out[threadIdx.x] = 1;
}
__global__ void static_shared(int* out) {
  __shared__ int tile[256];
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = tile[255 - threadIdx.x];
}
__global__ void dynamic_shared(int* out, int words) {
  extern __shared__ int scratch[];
  for (int i = threadIdx.x; i < words; i += blockDim.x) scratch[i] = i;
  __syncthreads();
  if (threadIdx.x == 0) *out = scratch[words - 1];
}

void show_launches() {
  int *out = nullptr, host[1024] = {};
  cudaMalloc(&out, sizeof host);
  fill<<<4, 256>>>(out, 1000, 7);
  SHOW("launch", cudaGetLastError());
  cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost);
  VALUE("fill 999", host[999]);
  static_shared<<<1, 256>>>(out);
  cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost);
  VALUE("static_shared 0", host[0]);

  fill<<<0, 32>>>(out, 0, 0);
  SHOW("zero grid", cudaGetLastError());
  fill<<<1, 0>>>(out, 0, 0);
  SHOW("zero block", cudaGetLastError());
  fill<<<1, 1025>>>(out, 0, 0);
  SHOW("1025 threads", cudaGetLastError());
  fill<<<1, dim3(32, 33)>>>(out, 0, 0);
  SHOW("32x33 threads", cudaGetLastError());
  fill<<<1, dim3(1, 1, 65)>>>(out, 0, 0);
  SHOW("block z 65", cudaGetLastError());
  fill<<<dim3(1, 65536), 1>>>(out, 0, 0);
  SHOW("grid y 65536", cudaGetLastError());
  bounded<<<1, 65>>>(out);
  SHOW("beyond launch bounds", cudaGetLastError());
  dynamic_shared<<<1, 32, 48 * 1024>>>(out, 12288);
  SHOW("48 KiB dynamic", cudaGetLastError());
  dynamic_shared<<<1, 32, 48 * 1024 + 4>>>(out, 12289);
  SHOW("48 KiB + 4 dynamic", cudaGetLastError());
  dynamic_shared<<<1, 32, 1 << 20>>>(out, 4);
  SHOW("1 MiB dynamic", cudaGetLastError());
  static_shared<<<1, 32, 48 * 1024>>>(out);
  SHOW("48 KiB dynamic beside static", cudaGetLastError());
  SHOW("opt in 96 KiB",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 98304));
  dynamic_shared<<<1, 32, 98304>>>(out, 24576);
  SHOW("96 KiB dynamic", cudaGetLastError());
  cudaMemcpy(host, out, 4, cudaMemcpyDeviceToHost);
  VALUE("dynamic_shared last", host[0]);
  dynamic_shared<<<1, 32, 98308>>>(out, 4);
  SHOW("beyond the opt in", cudaGetLastError());
  SHOW("opt in 227 KiB",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 232448));
  SHOW("opt in 227 KiB + 1",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 232449));
  SHOW("opt in 227 KiB beside static",
       cudaFuncSetAttribute(static_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 232448));
  SHOW("opt in negative",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, -1));
  SHOW("bad attribute", cudaFuncSetAttribute(dynamic_shared, static_cast<cudaFuncAttribute>(3), 0));
  int unknown_function = 0;
  SHOW("attribute of unknown function",
       cudaFuncSetAttribute(&unknown_function, cudaFuncAttributeMaxDynamicSharedMemorySize, 4));
  SHOW("launch unknown function", cudaLaunchKernel(&unknown_function, 1, 1, nullptr, 0, nullptr));
  SHOW("launch null function",
       cudaLaunchKernel(static_cast<const void*>(nullptr), 1, 1, nullptr, 0, nullptr));

  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(1);
  config.blockDim = dim3(32);
  SHOW("launchKernelEx", cudaLaunchKernelEx(&config, fill, out, 32, 100));
  cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost);
  VALUE("fill 31", host[31]);
  cudaKernel_t kernel = nullptr;
  SHOW("getKernel", cudaGetKernel(&kernel, fill));
  int n = 8, base = 50;
  void* arguments[] = {&out, &n, &base};
  SHOW("launch by handle", cudaLaunchKernel(kernel, dim3(1), dim3(32), arguments, 0, nullptr));
  cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost);
  VALUE("fill 7", host[7]);
  VALUE("fill 8 untouched", host[8]);
  SHOW("cudaLaunchKernel zero grid",
       cudaLaunchKernel(kernel, dim3(0), dim3(32), arguments, 0, nullptr));
  SHOW("cudaLaunchKernel 1025 threads",
       cudaLaunchKernel(kernel, dim3(1), dim3(1025), arguments, 0, nullptr));
  SHOW("cudaLaunchKernel 1 MiB dynamic",
       cudaLaunchKernel(kernel, dim3(1), dim3(32), arguments, 1 << 20, nullptr));
  config.blockDim = dim3(1025);
  SHOW("launchKernelEx 1025 threads", cudaLaunchKernelEx(&config, fill, out, 32, 100));

  cudaMemset(out, 0, sizeof host);
  SHOW("other object", add_in_other_object(out, 5));
  cudaMemcpy(host, out, 4, cudaMemcpyDeviceToHost);
  VALUE("other object's variable", host[0]);
  cudaFree(out);
}

// Attributes, parameters, occupancy. The hints come last: they change the occupancy of a real GPU.
void show_functions() {
  cudaFuncAttributes at;
  SHOW("function attributes", cudaFuncGetAttributes(&at, static_shared));
  VALUE("static shared", at.sharedSizeBytes);
  VALUE("max threads", at.maxThreadsPerBlock);
  VALUE("max dynamic", at.maxDynamicSharedSizeBytes);
  SHOW("function attributes bounded", cudaFuncGetAttributes(&at, bounded));
  VALUE("max threads", at.maxThreadsPerBlock);
  SHOW("function attributes dynamic", cudaFuncGetAttributes(&at, dynamic_shared));
  VALUE("max dynamic", at.maxDynamicSharedSizeBytes);
  const char* name = nullptr;
  SHOW("function name", cudaFuncGetName(&name, reinterpret_cast<const void*>(&fill)));
  std::printf("%s\n", name);
  size_t offset = 0, size = 0;
  SHOW("parameter 1",
       cudaFuncGetParamInfo(reinterpret_cast<const void*>(&fill), 1, &offset, &size));
  VALUE("offset", offset);
  VALUE("size", size);
  SHOW("parameter 3",
       cudaFuncGetParamInfo(reinterpret_cast<const void*>(&fill), 3, &offset, &size));

  int blocks = 0;
  SHOW("occupancy fill 256", cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, fill, 256, 0));
  VALUE("blocks", blocks);
  SHOW("occupancy fill 32", cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, fill, 32, 0));
  VALUE("blocks", blocks);
  SHOW("occupancy shared 227 KiB",
       cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, dynamic_shared, 32, 232448));
  VALUE("blocks", blocks);
  SHOW("occupancy shared 40 KiB",
       cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, dynamic_shared, 32, 40960));
  VALUE("blocks", blocks);
  SHOW("occupancy 1025", cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, fill, 1025, 0));
  VALUE("blocks", blocks);
  SHOW("occupancy 0", cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, fill, 0, 0));
  int grid = 0, block = 0;
  SHOW("occupancy potential", cudaOccupancyMaxPotentialBlockSize(&grid, &block, fill, 0, 0));
  VALUE("grid", grid);
  VALUE("block", block);
  SHOW("carveout",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributePreferredSharedMemoryCarveout, 50));
  SHOW("carveout 101",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributePreferredSharedMemoryCarveout, 101));
  SHOW("cache config", cudaFuncSetCacheConfig(dynamic_shared, cudaFuncCachePreferShared));
  SHOW("device cache config", cudaDeviceSetCacheConfig(cudaFuncCachePreferL1));
}
