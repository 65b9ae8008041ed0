// The device: there is one, number 0, with the limits of GpuProfile.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

#include "cudart/api.hpp"
#include "cudart/device_properties_12.hpp"

using namespace vgpu::cudart;

namespace {

constexpr int kDriverVersion = 13000;
#ifdef VGPU_CUDA_12
constexpr int kRuntimeVersion = 12090;
using DeviceProperties = DeviceProperties12;
#else
constexpr int kRuntimeVersion = 13000;
using DeviceProperties = cudaDeviceProp;
#endif
constexpr char kPciBusId[] = "0000:00:00.0";
constexpr int kTextureAlignment = 512, kTexturePitchAlignment = 32;  // bytes
constexpr int kMaxPitch = 2147483647;                                // bytes

void require_device(int device) {
  if (device != 0)
    fail(cudaErrorInvalidDevice,
         "device " + std::to_string(device) + " does not exist: the virtual GPU is device 0");
}

const vgpu::GpuProfile& profile() {
  // Questions about it must not reserve device memory.
  static const vgpu::GpuProfile kProfile = Runtime::instance().environment.profile();
  return kProfile;
}

/// Attributes that are not 0. What is missing here and known to CUDA is a feature that the virtual
/// GPU lacks.
const std::map<int, int>& attributes() {
  static const vgpu::GpuProfile& p = profile();
  static const std::map<int, int> kValues = {
      {cudaDevAttrMaxThreadsPerBlock, p.max_threads_per_block},
      {cudaDevAttrMaxBlockDimX, p.max_block[0]},
      {cudaDevAttrMaxBlockDimY, p.max_block[1]},
      {cudaDevAttrMaxBlockDimZ, p.max_block[2]},
      {cudaDevAttrMaxGridDimX, p.max_grid[0]},
      {cudaDevAttrMaxGridDimY, p.max_grid[1]},
      {cudaDevAttrMaxGridDimZ, p.max_grid[2]},
      {cudaDevAttrMaxSharedMemoryPerBlock, static_cast<int>(p.shared_per_block)},
      {cudaDevAttrTotalConstantMemory, static_cast<int>(p.constant_memory)},
      {cudaDevAttrWarpSize, vgpu::kWarpSize},
      {cudaDevAttrMaxPitch, kMaxPitch},
      {cudaDevAttrMaxRegistersPerBlock, p.registers_per_multiprocessor},
      {cudaDevAttrClockRate, p.clock_khz},
      {cudaDevAttrTextureAlignment, kTextureAlignment},
      {cudaDevAttrTexturePitchAlignment, kTexturePitchAlignment},
      {cudaDevAttrMultiProcessorCount, p.multiprocessors},
      {cudaDevAttrCanMapHostMemory, 1},
      {cudaDevAttrConcurrentKernels, 1},
      {cudaDevAttrMemoryClockRate, p.memory_clock_khz},
      {cudaDevAttrGlobalMemoryBusWidth, p.memory_bus_bits},
      {cudaDevAttrL2CacheSize, static_cast<int>(p.l2_cache)},
      {cudaDevAttrMaxThreadsPerMultiProcessor, p.max_threads_per_multiprocessor},
      {cudaDevAttrUnifiedAddressing, 1},
      {cudaDevAttrComputeCapabilityMajor, p.compute_major},
      {cudaDevAttrComputeCapabilityMinor, p.compute_minor},
      {cudaDevAttrStreamPrioritiesSupported, 1},
      {cudaDevAttrGlobalL1CacheSupported, 1},
      {cudaDevAttrLocalL1CacheSupported, 1},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, static_cast<int>(p.shared_per_multiprocessor)},
      {cudaDevAttrMaxRegistersPerMultiprocessor, p.registers_per_multiprocessor},
      {cudaDevAttrManagedMemory, 1},
      {cudaDevAttrSingleToDoublePrecisionPerfRatio, 2},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, static_cast<int>(p.shared_per_block_optin)},
      {cudaDevAttrHostRegisterSupported, 1},
      {cudaDevAttrMaxBlocksPerMultiprocessor, p.max_blocks_per_multiprocessor},
      {cudaDevAttrReservedSharedMemoryPerBlock, static_cast<int>(p.reserved_shared_per_block)},
      {cudaDevAttrMemoryPoolsSupported, 1},
      {cudaDevAttrCooperativeLaunch, 1},
  };
  return kValues;
}

int attribute(cudaDeviceAttr which) {
  auto found = attributes().find(which);
  return found == attributes().end() ? 0 : found->second;
}

std::map<cudaLimit, size_t>& limits() {  // the defaults of an H200
  static std::map<cudaLimit, size_t> values = {
      {cudaLimitStackSize, 1024},         {cudaLimitPrintfFifoSize, 8650752},
      {cudaLimitMallocHeapSize, 8388608}, {cudaLimitDevRuntimePendingLaunchCount, 2048},
      {cudaLimitDevRuntimeSyncDepth, 2},  {cudaLimitMaxL2FetchGranularity, 64},
      {cudaLimitPersistingL2CacheSize, 0}};
  return values;
}

unsigned device_flags = 0;
cudaFuncCache cache_config = cudaFuncCachePreferNone;

template <typename Properties>
void describe(Properties& result) {
  const vgpu::GpuProfile& p = profile();
  result = {};
  std::snprintf(result.name, sizeof result.name, "%s", p.name.c_str());
  std::memcpy(result.uuid.bytes, "FlashLab-virtual", sizeof result.uuid.bytes);
  result.totalGlobalMem = p.global_memory;
  result.sharedMemPerBlock = p.shared_per_block;
  result.regsPerBlock = p.registers_per_multiprocessor;
  result.warpSize = vgpu::kWarpSize;
  result.memPitch = kMaxPitch;
  result.maxThreadsPerBlock = p.max_threads_per_block;
  std::copy(p.max_block, p.max_block + 3, result.maxThreadsDim);
  std::copy(p.max_grid, p.max_grid + 3, result.maxGridSize);
  result.totalConstMem = p.constant_memory;
  result.major = p.compute_major;
  result.minor = p.compute_minor;
  result.textureAlignment = kTextureAlignment;
  result.texturePitchAlignment = kTexturePitchAlignment;
  result.multiProcessorCount = p.multiprocessors;
  result.canMapHostMemory = 1;
  result.concurrentKernels = 1;
  result.unifiedAddressing = 1;
  result.memoryBusWidth = p.memory_bus_bits;
  result.l2CacheSize = static_cast<int>(p.l2_cache);
  result.maxThreadsPerMultiProcessor = p.max_threads_per_multiprocessor;
  result.streamPrioritiesSupported = 1;
  result.globalL1CacheSupported = 1;
  result.localL1CacheSupported = 1;
  result.sharedMemPerMultiprocessor = p.shared_per_multiprocessor;
  result.regsPerMultiprocessor = p.registers_per_multiprocessor;
  result.managedMemory = 1;
  result.sharedMemPerBlockOptin = p.shared_per_block_optin;
  result.maxBlocksPerMultiProcessor = p.max_blocks_per_multiprocessor;
  result.reservedSharedMemPerBlock = p.reserved_shared_per_block;
  result.hostRegisterSupported = 1;
  result.memoryPoolsSupported = 1;
  result.cooperativeLaunch = 1;
  if constexpr (requires { result.clockRate; }) {
    result.clockRate = p.clock_khz;
    result.memoryClockRate = p.memory_clock_khz;
    result.singleToDoublePrecisionPerfRatio =
        attribute(cudaDevAttrSingleToDoublePrecisionPerfRatio);
  }
}

}  // namespace

VGPU_EXPORT cudaError_t cudaGetDeviceCount(int* count) {
  return api_call(__func__, Errors::None, [&](Runtime&) { output(count) = 1; });
}

VGPU_EXPORT cudaError_t cudaGetDevice(int* device) {
  return api_call(__func__, Errors::None, [&](Runtime&) { output(device) = 0; });
}

VGPU_EXPORT cudaError_t cudaSetDevice(int device) {
  return api_call(__func__, Errors::None, [&](Runtime&) { require_device(device); });
}

VGPU_EXPORT cudaError_t cudaInitDevice(int device, unsigned, unsigned) {
  return api_call(__func__, Errors::None, [&](Runtime&) { require_device(device); });
}

VGPU_EXPORT cudaError_t cudaChooseDevice(int* device, const cudaDeviceProp*) {
  return api_call(__func__, Errors::None, [&](Runtime&) { output(device) = 0; });
}

VGPU_EXPORT cudaError_t cudaSetValidDevices(int* devices, int count) {
  return api_call(__func__, Errors::None, [&](Runtime&) {
    for (int i = 0; i < count; ++i) require_device(devices[i]);
  });
}

VGPU_EXPORT cudaError_t cudaSetDeviceFlags(unsigned flags) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    if (flags & ~static_cast<unsigned>(cudaDeviceMask))
      fail(cudaErrorInvalidValue, "unknown flags");
    device_flags = flags;
  });
}

VGPU_EXPORT cudaError_t cudaGetDeviceFlags(unsigned* flags) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) { output(flags) = device_flags; });
}

VGPU_EXPORT cudaError_t cudaDeviceSynchronize() {
  return api_call(__func__, Errors::Waits, [](Runtime&) {});
}

VGPU_EXPORT cudaError_t cudaDeviceReset() {
  return api_call(__func__, Errors::None, [](Runtime& runtime) { runtime.reset_device(); });
}

VGPU_EXPORT cudaError_t cudaDriverGetVersion(int* version) {
  return api_call(__func__, Errors::None, [&](Runtime&) { output(version) = kDriverVersion; });
}

VGPU_EXPORT cudaError_t cudaRuntimeGetVersion(int* version) {
  return api_call(__func__, Errors::None, [&](Runtime&) { output(version) = kRuntimeVersion; });
}

VGPU_EXPORT cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int device) {
  return api_call(__func__, Errors::None, [&](Runtime&) {
    require_device(device);
    if (which < 1 || which >= cudaDevAttrMax)
      fail(cudaErrorInvalidValue, "unknown attribute " + std::to_string(which));
    output(value) = attribute(which);
  });
}

VGPU_EXPORT cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return api_call(__func__, Errors::None, [&](Runtime&) {
    require_device(device);
    describe(reinterpret_cast<DeviceProperties&>(output(properties)));
  });
}

VGPU_EXPORT cudaError_t cudaDeviceGetLimit(size_t* value, cudaLimit which) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    auto found = limits().find(which);
    if (found == limits().end())
      fail(cudaErrorInvalidValue, "unknown limit " + std::to_string(which));
    output(value) = found->second;
  });
}

VGPU_EXPORT cudaError_t cudaDeviceSetLimit(cudaLimit which, size_t value) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    auto found = limits().find(which);
    if (found == limits().end())
      fail(cudaErrorInvalidValue, "unknown limit " + std::to_string(which));
    found->second = value;
    if (which == cudaLimitMallocHeapSize) runtime.device().options().heap_bytes = value;
  });
}

VGPU_EXPORT cudaError_t cudaDeviceGetCacheConfig(cudaFuncCache* config) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) { output(config) = cache_config; });
}

VGPU_EXPORT cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache config) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) { cache_config = config; });
}

VGPU_EXPORT cudaError_t cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* config) {
  return api_call(__func__, Errors::Sticky,
                  [&](Runtime&) { output(config) = cudaSharedMemBankSizeFourByte; });
}

VGPU_EXPORT cudaError_t cudaDeviceSetSharedMemConfig(cudaSharedMemConfig) {
  return api_call(__func__, Errors::Sticky, [](Runtime&) {});
}

VGPU_EXPORT cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return api_call(__func__, Errors::None, [&](Runtime&) {
    require_device(device);
    require_device(peer);
    output(can) = 0;
  });
}

namespace {

// There is one device, and none is its own peer.
cudaError_t no_peer(const char* name, int peer) {
  return api_call(name, Errors::Sticky, [&](Runtime&) {
    require_device(peer);
    fail(cudaErrorInvalidDevice, "the virtual GPU is the only device and no peer of itself");
  });
}

}  // namespace

VGPU_EXPORT cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  return no_peer(__func__, peer);
}

VGPU_EXPORT cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return no_peer(__func__, peer);
}

VGPU_EXPORT cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device) {
  return api_call(__func__, Errors::None, [&](Runtime&) {
    require_device(device);
    if (length < static_cast<int>(sizeof kPciBusId))
      fail(cudaErrorInvalidValue, "the buffer is too short");
    std::memcpy(&output(id), kPciBusId, sizeof kPciBusId);
  });
}

VGPU_EXPORT cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* id) {
  return api_call(__func__, Errors::None, [&](Runtime&) {
    if (id == nullptr || std::strcmp(id, kPciBusId) != 0)
      fail(cudaErrorInvalidDevice, "no device has that PCI bus id");
    output(device) = 0;
  });
}

VGPU_EXPORT cudaError_t cudaCtxResetPersistingL2Cache() {
  return api_call(__func__, Errors::Sticky, [](Runtime&) {});
}

VGPU_EXPORT cudaError_t cudaProfilerStart() {
  return api_call(__func__, Errors::Sticky, [](Runtime&) {});
}

VGPU_EXPORT cudaError_t cudaProfilerStop() {
  return api_call(__func__, Errors::Sticky, [](Runtime&) {});
}

VGPU_EXPORT cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w,
                                                        cudaChannelFormatKind kind) {
  return {x, y, z, w, kind};
}
