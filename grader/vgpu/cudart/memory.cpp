// Allocation. Device, pinned and managed memory all come from the device's address range; only
// device and managed memory counts as memory of the GPU.
#include "cudart/api.hpp"

using namespace vgpu::cudart;
using vgpu::DeviceMemory;
using vgpu::MemoryUse;

namespace {

constexpr size_t kPitchAlignment = 512;  // bytes, as on an H200

void* allocate(Runtime& runtime, size_t bytes, MemoryKind kind, unsigned flags = 0) {
  if (bytes == 0) return nullptr;
  void* pointer = runtime.memory().allocate(
      bytes, {}, kind == MemoryKind::Pinned ? MemoryUse::PinnedHost : MemoryUse::Device);
  if (pointer == nullptr)
    fail(cudaErrorMemoryAllocation,
         std::to_string(bytes) +
             " bytes do not fit: " + std::to_string(runtime.memory().current_bytes()) + " of " +
             std::to_string(runtime.memory().capacity()) + " bytes are in use");
  if (kind != MemoryKind::Device) {
    runtime.pointers.add(pointer, bytes, kind, flags);
    runtime.memory().note_written(pointer, bytes);  // the host may write it directly
  }
  return pointer;
}

void release(Runtime& runtime, void* pointer, bool pinned) {
  if (pointer == nullptr) return;
  MemoryKind kind = runtime.pointers.kind_of(runtime.memory(), pointer);
  if ((kind == MemoryKind::Pinned) != pinned || kind == MemoryKind::Host ||
      kind == MemoryKind::Registered)
    fail(cudaErrorInvalidValue,
         kind == MemoryKind::Pinned ? "the pointer is pinned host memory: use cudaFreeHost"
         : pinned ? "the pointer does not come from cudaMallocHost or cudaHostAlloc"
                  : "the pointer is host memory, not memory of the device");
  vgpu::Allocation allocation = runtime.memory().find(pointer);
  if (!pinned && allocation.end != 0 && allocation.use == MemoryUse::Variable)
    fail(cudaErrorInvalidValue, "the pointer is the variable `" + allocation.name +
                                    "` of the program, not memory from cudaMalloc");
  switch (runtime.memory().free(pointer)) {
    case DeviceMemory::FreeResult::Ok:
      break;
    case DeviceMemory::FreeResult::AlreadyFreed:
      fail(cudaErrorInvalidValue, "the memory was freed before (double free)");
    case DeviceMemory::FreeResult::NotAllocated:
      fail(cudaErrorInvalidValue,
           "the pointer is not the start of an allocation: " +
               runtime.memory().describe(reinterpret_cast<uint64_t>(pointer)));
  }
  runtime.pointers.remove(pointer);
  leave_pool(pointer);
}

size_t pitch_for(size_t width) {
  return (width + kPitchAlignment - 1) & ~(kPitchAlignment - 1);
}

}  // namespace

VGPU_EXPORT cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    output(pointer) = nullptr;  // what it stays when there is too little memory
    *pointer = allocate(runtime, bytes, MemoryKind::Device);
  });
}

VGPU_EXPORT cudaError_t cudaMallocManaged(void** pointer, size_t bytes, unsigned flags) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    if (flags != cudaMemAttachGlobal && flags != cudaMemAttachHost)
      fail(cudaErrorInvalidValue, "flags must be cudaMemAttachGlobal or cudaMemAttachHost");
    output(pointer) = allocate(runtime, bytes, MemoryKind::Managed, flags);
  });
}

VGPU_EXPORT cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned flags) {
  constexpr unsigned kKnown =
      cudaHostAllocPortable | cudaHostAllocMapped | cudaHostAllocWriteCombined;
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    if (flags & ~kKnown) fail(cudaErrorInvalidValue, "unknown flags");
    output(pointer) = allocate(runtime, bytes, MemoryKind::Pinned, flags);
  });
}

VGPU_EXPORT cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    output(pointer) = allocate(runtime, bytes, MemoryKind::Pinned);
  });
}

VGPU_EXPORT cudaError_t cudaMallocPitch(void** pointer, size_t* pitch, size_t width,
                                        size_t height) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    output(pitch) = pitch_for(width);
    if (height != 0 && *pitch > SIZE_MAX / height)
      fail(cudaErrorMemoryAllocation, "width times height overflows");
    output(pointer) = allocate(runtime, *pitch * height, MemoryKind::Device);
  });
}

VGPU_EXPORT cudaError_t cudaMalloc3D(cudaPitchedPtr* pitched, cudaExtent extent) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    size_t pitch = pitch_for(extent.width), rows = 0, bytes = 0;
    if (__builtin_mul_overflow(extent.height, extent.depth, &rows) ||
        __builtin_mul_overflow(rows, pitch, &bytes))
      fail(cudaErrorMemoryAllocation, "the extent overflows");
    output(pitched) = {allocate(runtime, bytes, MemoryKind::Device), pitch, extent.width,
                       extent.height};
  });
}

VGPU_EXPORT cudaError_t cudaFree(void* pointer) {
  return api_call(__func__, Errors::Waits,
                  [&](Runtime& runtime) { release(runtime, pointer, false); });
}

VGPU_EXPORT cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  return api_call(__func__, Errors::Queued, [&](Runtime& runtime) {
    runtime.require_stream(stream);
    release(runtime, pointer, false);
  });
}
VGPU_PER_THREAD_TWIN(cudaFreeAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaFreeHost(void* pointer) {
  return api_call(__func__, Errors::Waits,
                  [&](Runtime& runtime) { release(runtime, pointer, true); });
}

VGPU_EXPORT cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    size_t total = runtime.memory().capacity();
    if (free_bytes != nullptr) *free_bytes = total - runtime.memory().current_bytes();
    if (total_bytes != nullptr) *total_bytes = total;
  });
}
