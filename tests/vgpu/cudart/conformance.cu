// What the runtime API answers, one line per call. The same program runs on NVIDIA's runtime
// (recorded in conformance_h200.txt) and on ours; the outputs must be equal. Lines hold nothing
// that depends on the machine.
//   conformance        errors of valid and invalid calls, values, kernel results
//   conformance fault  what every call answers after a kernel accessed memory that is not there
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

// Prints `label = error / error left behind`, and clears what is left behind.
#define SHOW(label, call)                                                                  \
  do {                                                                                     \
    cudaError_t error = (call);                                                            \
    cudaError_t left = cudaGetLastError();                                                 \
    std::printf("%s = %s / %s\n", label, cudaGetErrorName(error), cudaGetErrorName(left)); \
  } while (false)
#define VALUE(label, value) std::printf("%s: %lld\n", label, static_cast<long long>(value))

__device__ int device_counter = 41;
__constant__ int constant_table[4] = {1, 2, 3, 4};
__managed__ int managed_counter = 7;

__global__ void fill(int* out, int n, int value) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = value + i;
}
__global__ void use_symbols(int* out) {
  out[threadIdx.x] = constant_table[threadIdx.x] * 10 + device_counter;
}
__global__ void bump_managed(int by) {
  managed_counter += by;
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
__global__ void stray_write(int* out) {
  out[threadIdx.x] = 1;
}

static void memory() {
  char host[256] = {};
  char other[256] = {};
  void *a = nullptr, *b = nullptr, *pinned = nullptr, *managed = nullptr;
  SHOW("malloc", cudaMalloc(&a, 256));
  SHOW("malloc second", cudaMalloc(&b, 256));
  SHOW("malloc null target", cudaMalloc(static_cast<void**>(nullptr), 4));
  void* none = host;
  SHOW("malloc zero bytes", cudaMalloc(&none, 0));
  VALUE("malloc zero bytes gives null", none == nullptr);
  SHOW("malloc far too much", cudaMalloc(&none, size_t{1} << 50));
  SHOW("mallocHost", cudaMallocHost(&pinned, 256));
  SHOW("mallocManaged", cudaMallocManaged(&managed, 256));
  SHOW("mallocManaged bad flags", cudaMallocManaged(&none, 256, 99));
  SHOW("mallocManaged zero bytes", cudaMallocManaged(&none, 0));
  SHOW("hostAlloc bad flags", cudaHostAlloc(&none, 16, 1u << 20));

  SHOW("memset", cudaMemset(a, 5, 256));
  SHOW("memset null zero bytes", cudaMemset(nullptr, 0, 0));
  SHOW("memset null", cudaMemset(nullptr, 0, 4));
  SHOW("memset host pointer", cudaMemset(host, 0, 4));
  SHOW("memset pinned", cudaMemset(pinned, 1, 4));
  SHOW("memcpy H2D", cudaMemcpy(b, host, 256, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H", cudaMemcpy(host, a, 256, cudaMemcpyDeviceToHost));
  VALUE("memcpy D2H value", host[255]);
  SHOW("memcpy D2D", cudaMemcpy(b, a, 256, cudaMemcpyDeviceToDevice));
  SHOW("memcpy default to host", cudaMemcpy(other, b, 256, cudaMemcpyDefault));
  VALUE("memcpy default value", other[10]);
  SHOW("memcpy default H2H", cudaMemcpy(other, host, 256, cudaMemcpyDefault));
  SHOW("memcpy H2H", cudaMemcpy(other, host, 256, cudaMemcpyHostToHost));
  SHOW("memcpy H2D with host destination", cudaMemcpy(other, host, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H with host source", cudaMemcpy(other, host, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy H2D with device source", cudaMemcpy(b, a, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H with device destination", cudaMemcpy(b, a, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy H2D of device to host", cudaMemcpy(other, a, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy D2H of host to device", cudaMemcpy(a, other, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy D2D with host source", cudaMemcpy(b, host, 16, cudaMemcpyDeviceToDevice));
  SHOW("memcpy H2H with device source", cudaMemcpy(other, a, 16, cudaMemcpyHostToHost));
  SHOW("memcpy D2D pinned to device", cudaMemcpy(b, pinned, 16, cudaMemcpyDeviceToDevice));
  SHOW("memcpy H2D pinned to managed", cudaMemcpy(managed, pinned, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy bad kind", cudaMemcpy(b, a, 16, static_cast<cudaMemcpyKind>(77)));
  SHOW("memcpy null destination", cudaMemcpy(nullptr, a, 16, cudaMemcpyDeviceToHost));
  SHOW("memcpy null source", cudaMemcpy(a, nullptr, 16, cudaMemcpyHostToDevice));
  SHOW("memcpy zero bytes", cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyDeviceToHost));
  SHOW("memcpyAsync bad stream pointer kind",
       cudaMemcpyAsync(other, host, 16, cudaMemcpyHostToDevice));

  void* pitched = nullptr;
  size_t pitch = 0;
  SHOW("mallocPitch", cudaMallocPitch(&pitched, &pitch, 100, 8));
  VALUE("pitch", pitch);
  std::vector<unsigned char> rows(100 * 8, 3), back(100 * 8, 0);
  SHOW("memcpy2D up",
       cudaMemcpy2D(pitched, pitch, rows.data(), 100, 100, 8, cudaMemcpyHostToDevice));
  SHOW("memset2D", cudaMemset2D(pitched, pitch, 9, 50, 8));
  SHOW("memcpy2D down",
       cudaMemcpy2D(back.data(), 100, pitched, pitch, 100, 8, cudaMemcpyDeviceToHost));
  VALUE("memcpy2D value left", back[749]);
  VALUE("memcpy2D value right", back[750]);
  SHOW("memcpy2D pitch below width",
       cudaMemcpy2D(pitched, 50, rows.data(), 100, 100, 8, cudaMemcpyHostToDevice));
  SHOW("memset2D pitch below width", cudaMemset2D(pitched, 10, 9, 50, 8));

  cudaPointerAttributes at;
  SHOW("attributes device", cudaPointerGetAttributes(&at, a));
  VALUE("type", at.type);
  VALUE("device", at.device);
  VALUE("host pointer null", at.hostPointer == nullptr);
  SHOW("attributes device inside", cudaPointerGetAttributes(&at, static_cast<char*>(a) + 100));
  VALUE("type", at.type);
  SHOW("attributes host", cudaPointerGetAttributes(&at, host));
  VALUE("type", at.type);
  VALUE("device", at.device);
  VALUE("device pointer null", at.devicePointer == nullptr);
  VALUE("host pointer null", at.hostPointer == nullptr);
  SHOW("attributes pinned", cudaPointerGetAttributes(&at, pinned));
  VALUE("type", at.type);
  VALUE("device pointer same", at.devicePointer == pinned);
  SHOW("attributes managed", cudaPointerGetAttributes(&at, managed));
  VALUE("type", at.type);
  SHOW("attributes null", cudaPointerGetAttributes(&at, nullptr));
  void* mapped = nullptr;
  SHOW("hostGetDevicePointer", cudaHostGetDevicePointer(&mapped, pinned, 0));
  VALUE("same address", mapped == pinned);
  SHOW("hostGetDevicePointer of host", cudaHostGetDevicePointer(&mapped, host, 0));
  unsigned flags = 0;
  SHOW("hostGetFlags", cudaHostGetFlags(&flags, pinned));
  SHOW("hostGetFlags of host", cudaHostGetFlags(&flags, host));
  void* page = std::aligned_alloc(4096, 8192);
  SHOW("hostRegister", cudaHostRegister(page, 8192, cudaHostRegisterDefault));
  SHOW("hostRegister twice", cudaHostRegister(page, 8192, cudaHostRegisterDefault));
  SHOW("attributes registered", cudaPointerGetAttributes(&at, page));
  VALUE("type", at.type);
  SHOW("hostUnregister", cudaHostUnregister(page));
  SHOW("hostUnregister twice", cudaHostUnregister(page));
  std::free(page);

  SHOW("free inside", cudaFree(static_cast<char*>(a) + 16));
  SHOW("free host pointer", cudaFree(host));
  SHOW("free pinned with free", cudaFree(pinned));
  SHOW("freeHost of device", cudaFreeHost(b));
  SHOW("freeHost", cudaFreeHost(pinned));
  SHOW("freeHost null", cudaFreeHost(nullptr));
  SHOW("free", cudaFree(a));
  SHOW("free twice", cudaFree(a));
  SHOW("free null", cudaFree(nullptr));
  SHOW("free managed", cudaFree(managed));
  SHOW("free pitched", cudaFree(pitched));
  SHOW("memcpy from freed", cudaMemcpy(host, a, 16, cudaMemcpyDeviceToHost));

  SHOW("mallocAsync", cudaMallocAsync(&a, 1024, nullptr));
  SHOW("memsetAsync", cudaMemsetAsync(a, 1, 1024, nullptr));
  SHOW("freeAsync", cudaFreeAsync(a, nullptr));
  SHOW("freeAsync host pointer", cudaFreeAsync(host, nullptr));
  SHOW("memGetInfo null", cudaMemGetInfo(nullptr, nullptr));
  SHOW("free second", cudaFree(b));
}

static void symbols() {
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
  VALUE("managed from host", managed_counter);
  bump_managed<<<1, 1>>>(3);
  SHOW("sync", cudaDeviceSynchronize());
  VALUE("managed after the kernel", managed_counter);
}

static void launches() {
  int *out = nullptr, host[1024] = {};
  cudaMalloc(&out, sizeof host);
  fill<<<4, 256>>>(out, 1000, 7);
  SHOW("launch", cudaGetLastError());
  cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost);
  VALUE("fill 999", host[999]);
  use_symbols<<<1, 4>>>(out);
  cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost);
  VALUE("use_symbols 3", host[3]);
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
  SHOW("carveout",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributePreferredSharedMemoryCarveout, 50));
  SHOW("carveout 101",
       cudaFuncSetAttribute(dynamic_shared, cudaFuncAttributePreferredSharedMemoryCarveout, 101));
  SHOW("bad attribute", cudaFuncSetAttribute(dynamic_shared, static_cast<cudaFuncAttribute>(3), 0));
  SHOW("cache config", cudaFuncSetCacheConfig(dynamic_shared, cudaFuncCachePreferShared));
  int unknown_function = 0;
  SHOW("attribute of unknown function",
       cudaFuncSetAttribute(&unknown_function, cudaFuncAttributeMaxDynamicSharedMemorySize, 4));
  SHOW("launch unknown function", cudaLaunchKernel(&unknown_function, 1, 1, nullptr, 0, nullptr));
  SHOW("launch null function",
       cudaLaunchKernel(static_cast<const void*>(nullptr), 1, 1, nullptr, 0, nullptr));

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
  cudaFree(out);
}

static void count_call(void* counter) {
  ++*static_cast<int*>(counter);
}
static void stream_call(cudaStream_t, cudaError_t status, void* counter) {
  if (status == cudaSuccess) ++*static_cast<int*>(counter);
}

static void streams() {
  cudaStream_t stream = nullptr, second = nullptr;
  unsigned flags = 9;
  int priority = 9, least = 9, greatest = 9, called = 0;
  float milliseconds = -1;
  SHOW("stream create", cudaStreamCreate(&stream));
  SHOW("stream create null", cudaStreamCreate(nullptr));
  SHOW("stream create flags", cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking));
  SHOW("stream get flags", cudaStreamGetFlags(second, &flags));
  VALUE("flags", flags);
  SHOW("stream create bad flags", cudaStreamCreateWithFlags(&second, 77));
  SHOW("priority range", cudaDeviceGetStreamPriorityRange(&least, &greatest));
  VALUE("least", least);
  VALUE("greatest", greatest);
  SHOW("stream destroy", cudaStreamDestroy(second));
  SHOW("stream create priority", cudaStreamCreateWithPriority(&second, 0, -100));
  SHOW("stream get priority", cudaStreamGetPriority(second, &priority));
  VALUE("priority", priority);
  SHOW("stream query", cudaStreamQuery(stream));
  SHOW("stream query default", cudaStreamQuery(nullptr));
  SHOW("stream synchronize legacy", cudaStreamSynchronize(cudaStreamLegacy));
  SHOW("stream synchronize per thread", cudaStreamSynchronize(cudaStreamPerThread));
  SHOW("stream destroy null", cudaStreamDestroy(nullptr));
  cudaStreamCaptureStatus capture;
  SHOW("is capturing", cudaStreamIsCapturing(stream, &capture));
  VALUE("capture", capture);

  cudaEvent_t start = nullptr, stop = nullptr, untimed = nullptr;
  SHOW("event create", cudaEventCreate(&start));
  SHOW("event create second", cudaEventCreateWithFlags(&stop, cudaEventBlockingSync));
  SHOW("event create untimed", cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming));
  SHOW("event create bad flags", cudaEventCreateWithFlags(&untimed, 1u << 20));
  SHOW("elapsed unrecorded", cudaEventElapsedTime(&milliseconds, start, stop));
  SHOW("event query unrecorded", cudaEventQuery(start));
  SHOW("event record", cudaEventRecord(start, stream));
  SHOW("event wait", cudaStreamWaitEvent(second, start, 0));
  SHOW("event wait null", cudaStreamWaitEvent(second, nullptr, 0));
  SHOW("event record second", cudaEventRecord(stop, stream));
  SHOW("event synchronize", cudaEventSynchronize(stop));
  SHOW("elapsed", cudaEventElapsedTime(&milliseconds, start, stop));
  VALUE("elapsed is not negative", milliseconds >= 0);
  SHOW("event record untimed", cudaEventRecord(untimed, stream));
  SHOW("event sync untimed", cudaEventSynchronize(untimed));
  SHOW("elapsed untimed", cudaEventElapsedTime(&milliseconds, start, untimed));
  SHOW("elapsed null", cudaEventElapsedTime(nullptr, start, stop));
  SHOW("event record null", cudaEventRecord(nullptr, stream));
  SHOW("host function", cudaLaunchHostFunc(stream, count_call, &called));
  SHOW("host function null", cudaLaunchHostFunc(stream, nullptr, &called));
  SHOW("callback", cudaStreamAddCallback(stream, stream_call, &called, 0));
  SHOW("stream synchronize", cudaStreamSynchronize(stream));
  VALUE("called", called);
  SHOW("event destroy", cudaEventDestroy(start));
  SHOW("event destroy null", cudaEventDestroy(nullptr));
  SHOW("stream destroy", cudaStreamDestroy(stream));
  cudaEventDestroy(stop);
  cudaEventDestroy(untimed);
  cudaStreamDestroy(second);
}

static void device() {
  int value = -1;
  unsigned flags = 0;
  size_t limit = 0;
  SHOW("get device", cudaGetDevice(&value));
  VALUE("device", value);
  SHOW("set device 0", cudaSetDevice(0));
  SHOW("set device 99", cudaSetDevice(99));
  SHOW("set device -1", cudaSetDevice(-1));
  SHOW("get device null", cudaGetDevice(nullptr));
  SHOW("runtime version", cudaRuntimeGetVersion(&value));
  SHOW("device flags", cudaGetDeviceFlags(&flags));
  SHOW("limit stack", cudaDeviceGetLimit(&limit, cudaLimitStackSize));
  VALUE("stack", limit);
  SHOW("limit heap", cudaDeviceGetLimit(&limit, cudaLimitMallocHeapSize));
  VALUE("heap", limit);
  SHOW("limit fifo", cudaDeviceGetLimit(&limit, cudaLimitPrintfFifoSize));
  VALUE("fifo", limit);
  SHOW("limit bad", cudaDeviceGetLimit(&limit, static_cast<cudaLimit>(55)));
  SHOW("set limit stack", cudaDeviceSetLimit(cudaLimitStackSize, 4096));
  SHOW("limit stack", cudaDeviceGetLimit(&limit, cudaLimitStackSize));
  VALUE("stack", limit);
  SHOW("attribute of device 5000", cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 5000));
  SHOW("attribute unknown", cudaDeviceGetAttribute(&value, static_cast<cudaDeviceAttr>(9999), 0));
  cudaDeviceProp p;
  SHOW("properties", cudaGetDeviceProperties(&p, 0));
  SHOW("properties of device 5000", cudaGetDeviceProperties(&p, 5000));
  SHOW("peer access to itself", cudaDeviceCanAccessPeer(&value, 0, 0));
  VALUE("can", value);
  SHOW("cache config", cudaDeviceSetCacheConfig(cudaFuncCachePreferL1));
  const cudaDeviceAttr attributes[] = {cudaDevAttrMaxThreadsPerBlock,
                                       cudaDevAttrMaxBlockDimX,
                                       cudaDevAttrMaxBlockDimY,
                                       cudaDevAttrMaxBlockDimZ,
                                       cudaDevAttrMaxGridDimX,
                                       cudaDevAttrMaxGridDimY,
                                       cudaDevAttrMaxGridDimZ,
                                       cudaDevAttrMaxSharedMemoryPerBlock,
                                       cudaDevAttrTotalConstantMemory,
                                       cudaDevAttrWarpSize,
                                       cudaDevAttrMaxPitch,
                                       cudaDevAttrMaxRegistersPerBlock,
                                       cudaDevAttrClockRate,
                                       cudaDevAttrTextureAlignment,
                                       cudaDevAttrMultiProcessorCount,
                                       cudaDevAttrKernelExecTimeout,
                                       cudaDevAttrIntegrated,
                                       cudaDevAttrCanMapHostMemory,
                                       cudaDevAttrComputeMode,
                                       cudaDevAttrConcurrentKernels,
                                       cudaDevAttrMemoryClockRate,
                                       cudaDevAttrGlobalMemoryBusWidth,
                                       cudaDevAttrMaxThreadsPerMultiProcessor,
                                       cudaDevAttrUnifiedAddressing,
                                       cudaDevAttrComputeCapabilityMajor,
                                       cudaDevAttrComputeCapabilityMinor,
                                       cudaDevAttrMaxSharedMemoryPerMultiprocessor,
                                       cudaDevAttrMaxRegistersPerMultiprocessor,
                                       cudaDevAttrManagedMemory,
                                       cudaDevAttrMaxSharedMemoryPerBlockOptin,
                                       cudaDevAttrMaxBlocksPerMultiprocessor,
                                       cudaDevAttrReservedSharedMemoryPerBlock,
                                       cudaDevAttrMemoryPoolsSupported,
                                       cudaDevAttrL2CacheSize,
                                       cudaDevAttrSingleToDoublePrecisionPerfRatio,
                                       cudaDevAttrTexturePitchAlignment};
  for (cudaDeviceAttr attribute : attributes) {
    cudaError_t error = cudaDeviceGetAttribute(&value, attribute, 0);
    std::printf("attribute %d = %s, %d\n", attribute, cudaGetErrorName(error), value);
  }
}

static void faults() {
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

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "fault") == 0) {
    faults();
    return 0;
  }
  cudaError_t ready = cudaFree(nullptr);
  if (ready != cudaSuccess) {
    std::fprintf(stderr, "no device: %s\n", cudaGetErrorString(ready));
    return 1;
  }
  device();
  memory();
  symbols();
  launches();
  streams();
  for (int code = 0; code <= 1000; ++code) {
    const char* name = cudaGetErrorName(static_cast<cudaError_t>(code));
    if (std::strcmp(name, "unrecognized error code") != 0) std::printf("error %d %s\n", code, name);
  }
}
