// The stream-ordered allocator's default pool: memory is taken when asked for and given back when
// freed, so a pool has settings that are kept but change nothing.
#include <map>

#include "cudart/api.hpp"

struct CUmemPoolHandle_st {
  std::map<cudaMemPoolAttr, uint64_t> settings;
};

using namespace vgpu::cudart;

namespace {

cudaMemPool_t default_pool() {
  static auto* pool = new CUmemPoolHandle_st;
  return pool;
}

void require_pool(cudaMemPool_t pool) {
  if (pool != default_pool())
    fail(cudaErrorInvalidValue, "the virtual GPU has only the default memory pool");
}

bool is_integer(cudaMemPoolAttr attribute) {  // the reuse switches are int, all others uint64_t
  return attribute <= cudaMemPoolReuseAllowInternalDependencies;
}

cudaError_t give_default(const char* name, cudaMemPool_t* pool, int device) {
  return api_call(name, Errors::Sticky, [&](Runtime&) {
    if (device != 0) fail(cudaErrorInvalidDevice, "the virtual GPU is device 0, the only one");
    output(pool) = default_pool();
  });
}

}  // namespace

VGPU_EXPORT cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return give_default(__func__, pool, device);
}

VGPU_EXPORT cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  return give_default(__func__, pool, device);
}

VGPU_EXPORT cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    if (device != 0) fail(cudaErrorInvalidDevice, "the virtual GPU is device 0, the only one");
    require_pool(pool);
  });
}

VGPU_EXPORT cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) { require_pool(pool); });
}

VGPU_EXPORT cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute,
                                                void* value) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    require_pool(pool);
    if (value == nullptr) fail(cudaErrorInvalidValue, "the value is null");
    pool->settings[attribute] = is_integer(attribute)
                                    ? static_cast<uint64_t>(*static_cast<int*>(value))
                                    : *static_cast<uint64_t*>(value);
  });
}

VGPU_EXPORT cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute,
                                                void* value) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    require_pool(pool);
    if (value == nullptr) fail(cudaErrorInvalidValue, "the result's pointer is null");
    uint64_t result = pool->settings[attribute];
    if (attribute == cudaMemPoolAttrReservedMemCurrent ||
        attribute == cudaMemPoolAttrUsedMemCurrent)
      result = runtime.memory().current_bytes();
    if (attribute == cudaMemPoolAttrReservedMemHigh || attribute == cudaMemPoolAttrUsedMemHigh)
      result = runtime.memory().peak_bytes();
    if (is_integer(attribute))
      *static_cast<int*>(value) = static_cast<int>(result);
    else
      *static_cast<uint64_t*>(value) = result;
  });
}

VGPU_EXPORT cudaError_t cudaMallocFromPoolAsync(void** pointer, size_t bytes, cudaMemPool_t pool,
                                                cudaStream_t stream) {
  cudaError_t error = api_call(__func__, Errors::Sticky, [&](Runtime&) { require_pool(pool); });
  return error == cudaSuccess ? cudaMallocAsync(pointer, bytes, stream) : error;
}
VGPU_PER_THREAD_TWIN(cudaMallocFromPoolAsync, _ptsz);
