// Questions about pointers, registration of host memory, and hints about managed memory.
#include "cudart/api.hpp"

#include <cstddef>
#include <cstring>

using namespace vgpu::cudart;

namespace {

#ifdef VGPU_CUDA_12  // where the structure ends before the reserved members
constexpr size_t kAttributesBytes = offsetof(cudaPointerAttributes, reserved);
#else
constexpr size_t kAttributesBytes = sizeof(cudaPointerAttributes);
#endif

}  // namespace

VGPU_EXPORT cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes,
                                                 const void* pointer) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    cudaPointerAttributes& result = output(attributes);
    std::memset(&result, 0, kAttributesBytes);
    auto* address = const_cast<void*>(pointer);
    MemoryKind kind = runtime.pointers.kind_of(runtime.memory(), pointer);
    bool host = kind != MemoryKind::Device;
    bool device =
        kind == MemoryKind::Device || kind == MemoryKind::Managed || kind == MemoryKind::Pinned;
    result.type = kind == MemoryKind::Device    ? cudaMemoryTypeDevice
                  : kind == MemoryKind::Managed ? cudaMemoryTypeManaged
                  : kind == MemoryKind::Host    ? cudaMemoryTypeUnregistered
                                                : cudaMemoryTypeHost;
    result.device = kind == MemoryKind::Host ? cudaInvalidDeviceId : 0;
    result.hostPointer = host ? address : nullptr;
    result.devicePointer = device ? address : nullptr;
  });
}

VGPU_EXPORT cudaError_t cudaHostGetDevicePointer(void** device_pointer, void* host, unsigned) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    MemoryKind kind = runtime.pointers.find(host).kind;
    if (kind == MemoryKind::Registered)
      fail(cudaErrorNotSupported,
           "kernels of the virtual GPU cannot reach memory given to cudaHostRegister: allocate it "
           "with cudaHostAlloc");
    if (kind != MemoryKind::Pinned)
      fail(cudaErrorInvalidValue, "the pointer does not come from cudaHostAlloc or cudaMallocHost");
    output(device_pointer) = host;
  });
}

VGPU_EXPORT cudaError_t cudaHostGetFlags(unsigned* flags, void* host) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    auto block = runtime.pointers.find(host);
    if (block.kind != MemoryKind::Pinned && block.kind != MemoryKind::Registered)
      fail(cudaErrorInvalidValue, "the pointer does not come from cudaHostAlloc or cudaMallocHost");
    output(flags) = block.flags;
  });
}

VGPU_EXPORT cudaError_t cudaHostRegister(void* host, size_t bytes, unsigned flags) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    if (host == nullptr || bytes == 0) fail(cudaErrorInvalidValue, "the range is empty");
    if (runtime.pointers.find(host).bytes != 0)
      fail(cudaErrorHostMemoryAlreadyRegistered, "the range is pinned already");
    runtime.pointers.add(host, bytes, MemoryKind::Registered, flags);
  });
}

VGPU_EXPORT cudaError_t cudaHostUnregister(void* host) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    if (host == nullptr) fail(cudaErrorInvalidValue, "the pointer is null");
    auto block = runtime.pointers.find(host);
    if (block.kind != MemoryKind::Registered || block.begin != reinterpret_cast<uint64_t>(host))
      fail(cudaErrorHostMemoryNotRegistered, "the pointer was not given to cudaHostRegister");
    runtime.pointers.remove(host);
  });
}

namespace {

// Managed memory is one memory for host and device here: hints about its place have nothing to do.
cudaError_t accept_hint(const char* name, const void* pointer, size_t bytes, cudaStream_t stream) {
  return api_call(name, Errors::Queued, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    require_range(runtime.memory(), pointer, bytes, "the range");
    if (runtime.pointers.kind_of(runtime.memory(), pointer) != MemoryKind::Managed)
      fail(cudaErrorInvalidValue, "the range is not managed memory");
  });
}

}  // namespace

VGPU_EXPORT cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t bytes, cudaMemLocation,
                                             unsigned, cudaStream_t stream) {
  return accept_hint(__func__, pointer, bytes, stream);
}
VGPU_PER_THREAD_TWIN(cudaMemPrefetchAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, cudaMemoryAdvise,
                                      cudaMemLocation) {
  return accept_hint(__func__, pointer, bytes, nullptr);
}

VGPU_EXPORT cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void* pointer, size_t bytes,
                                                 unsigned) {
  return accept_hint(__func__, pointer, bytes, stream);
}
VGPU_PER_THREAD_TWIN(cudaStreamAttachMemAsync, _ptsz);
