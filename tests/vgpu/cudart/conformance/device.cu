// The device: properties, limits, attributes.
#include "show.cuh"

void show_device() {
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
