// Memory pools of the stream-ordered allocator. Memory is taken when asked for and given back when
// freed, so a pool keeps settings that change nothing, and counts what was allocated from it.
#include <algorithm>
#include <map>
#include <memory>

#include "cudart/api.hpp"

struct CUmemPoolHandle_st {
  std::map<cudaMemPoolAttr, uint64_t> settings;
  std::map<void*, size_t> allocations;  // bytes
  uint64_t used = 0, most_used = 0;
};

using namespace vgpu::cudart;

namespace {

// Under the runtime's lock.
cudaMemPool_t default_pool() {
  static auto* const pool = new CUmemPoolHandle_st;
  return pool;
}
std::map<cudaMemPool_t, std::unique_ptr<CUmemPoolHandle_st>>& own_pools() {
  static auto* const pools = new std::map<cudaMemPool_t, std::unique_ptr<CUmemPoolHandle_st>>;
  return *pools;
}
cudaMemPool_t current_pool = nullptr;  // nullptr: the default one

void require_pool(cudaMemPool_t pool) {
  if (pool != default_pool() && !own_pools().contains(pool))
    fail(cudaErrorInvalidValue, "the memory pool does not exist");
}

void require_device(int device) {
  if (device != 0) fail(cudaErrorInvalidDevice, "the virtual GPU is device 0, the only one");
}

bool is_integer(cudaMemPoolAttr attribute) {  // the reuse switches are int, all others uint64_t
  return attribute <= cudaMemPoolReuseAllowInternalDependencies;
}

cudaError_t allocate_from(const char* name, void** pointer, size_t bytes, cudaMemPool_t pool,
                          cudaStream_t stream) {
  return api_call(name, Errors::Sticky, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    if (pool == nullptr) pool = current_pool != nullptr ? current_pool : default_pool();
    require_pool(pool);
    void*& result = output(pointer) = nullptr;
    if (bytes == 0) return;
    result = runtime.memory().allocate(bytes);
    if (result == nullptr)
      fail(cudaErrorMemoryAllocation,
           std::to_string(bytes) +
               " bytes do not fit: " + std::to_string(runtime.memory().current_bytes()) + " of " +
               std::to_string(runtime.memory().capacity()) + " bytes are in use");
    pool->allocations[result] = bytes;
    pool->used += bytes;
    pool->most_used = std::max(pool->most_used, pool->used);
  });
}

}  // namespace

namespace vgpu::cudart {

void leave_pool(void* pointer) {
  const auto leave = [&](CUmemPoolHandle_st& pool) {
    const auto found = pool.allocations.find(pointer);
    if (found == pool.allocations.end()) return;
    pool.used -= found->second;
    pool.allocations.erase(found);
  };
  leave(*default_pool());
  for (auto& [handle, pool] : own_pools()) leave(*pool);
}

}  // namespace vgpu::cudart

VGPU_EXPORT cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream) {
  return allocate_from(__func__, pointer, bytes, nullptr, stream);
}
VGPU_PER_THREAD_TWIN(cudaMallocAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaMallocFromPoolAsync(void** pointer, size_t bytes, cudaMemPool_t pool,
                                                cudaStream_t stream) {
  if (pool == nullptr) return remember_error(cudaErrorInvalidValue);
  return allocate_from(__func__, pointer, bytes, pool, stream);
}
VGPU_PER_THREAD_TWIN(cudaMallocFromPoolAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    require_device(device);
    output(pool) = default_pool();
  });
}

VGPU_EXPORT cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    require_device(device);
    output(pool) = current_pool != nullptr ? current_pool : default_pool();
  });
}

VGPU_EXPORT cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    require_device(device);
    require_pool(pool);
    current_pool = pool;
  });
}

VGPU_EXPORT cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    const auto& wanted = output(properties);
    if (wanted.allocType != cudaMemAllocationTypePinned ||
        wanted.location.type != cudaMemLocationTypeDevice || wanted.location.id != 0)
      fail(cudaErrorInvalidValue, "a pool of the virtual GPU is pinned memory of device 0");
    auto made = std::make_unique<CUmemPoolHandle_st>();
    output(pool) = made.get();
    own_pools()[*pool] = std::move(made);
  });
}

VGPU_EXPORT cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    if (!own_pools().contains(pool)) fail(cudaErrorInvalidValue, "not a pool of cudaMemPoolCreate");
    if (current_pool == pool) current_pool = nullptr;
    own_pools().erase(pool);  // its allocations live on until they are freed
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
    if (attribute == cudaMemPoolAttrUsedMemHigh) pool->most_used = pool->used;
    pool->settings[attribute] = is_integer(attribute)
                                    ? static_cast<uint64_t>(*static_cast<int*>(value))
                                    : *static_cast<uint64_t*>(value);
  });
}

VGPU_EXPORT cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute,
                                                void* value) {
  return api_call(__func__, Errors::Sticky, [&](Runtime&) {
    require_pool(pool);
    if (value == nullptr) fail(cudaErrorInvalidValue, "the result's pointer is null");
    uint64_t result = pool->settings[attribute];
    if (attribute == cudaMemPoolAttrReservedMemCurrent ||
        attribute == cudaMemPoolAttrUsedMemCurrent)
      result = pool->used;
    if (attribute == cudaMemPoolAttrReservedMemHigh || attribute == cudaMemPoolAttrUsedMemHigh)
      result = pool->most_used;
    if (is_integer(attribute))
      *static_cast<int*>(value) = static_cast<int>(result);
    else
      *static_cast<uint64_t*>(value) = result;
  });
}
