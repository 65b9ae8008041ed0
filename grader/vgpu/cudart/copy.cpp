// cudaMemcpy* and cudaMemset*.
#include "cudart/graph.hpp"
#include "cudart/transfer.hpp"

using namespace vgpu::cudart;

VGPU_EXPORT cudaError_t cudaMemcpy(void* target, const void* source, size_t bytes,
                                   cudaMemcpyKind kind) {
  const cudaError_t wrong = api_call(__func__, Errors::None, [&](Runtime&) { require_kind(kind); });
  if (wrong != cudaSuccess) return wrong;  // even after a fault, as on an H200
  return api_call(__func__, Errors::Waits,
                  [&](Runtime& runtime) { copy_range(runtime, target, source, bytes, kind); });
}
VGPU_PER_THREAD_TWIN(cudaMemcpy, _ptds);

VGPU_EXPORT cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes,
                                        cudaMemcpyKind kind, cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemcpy, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      copy_range(runtime, target, source, bytes, kind);
    });
  });
}
VGPU_PER_THREAD_TWIN(cudaMemcpyAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaMemcpyPeer(void* target, int target_device, const void* source,
                                       int source_device, size_t bytes) {
  return api_call(__func__, Errors::Waits, [&](Runtime& runtime) {
    if (target_device != 0 || source_device != 0)
      fail(cudaErrorInvalidDevice, "the virtual GPU is device 0, the only one");
    copy_range(runtime, target, source, bytes, cudaMemcpyDeviceToDevice);
  });
}

VGPU_EXPORT cudaError_t cudaMemcpyPeerAsync(void* target, int target_device, const void* source,
                                            int source_device, size_t bytes, cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemcpy, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      if (target_device != 0 || source_device != 0)
        fail(cudaErrorInvalidDevice, "the virtual GPU is device 0, the only one");
      copy_range(runtime, target, source, bytes, cudaMemcpyDeviceToDevice);
    });
  });
}

VGPU_EXPORT cudaError_t cudaMemcpy2D(void* target, size_t target_pitch, const void* source,
                                     size_t source_pitch, size_t width, size_t height,
                                     cudaMemcpyKind kind) {
  return api_call(__func__, Errors::Waits, [&](Runtime& runtime) {
    copy_box(runtime, target, {target_pitch}, source, {source_pitch}, {width, height}, kind);
  });
}
VGPU_PER_THREAD_TWIN(cudaMemcpy2D, _ptds);

VGPU_EXPORT cudaError_t cudaMemcpy2DAsync(void* target, size_t target_pitch, const void* source,
                                          size_t source_pitch, size_t width, size_t height,
                                          cudaMemcpyKind kind, cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemcpy, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      copy_box(runtime, target, {target_pitch}, source, {source_pitch}, {width, height}, kind);
    });
  });
}
VGPU_PER_THREAD_TWIN(cudaMemcpy2DAsync, _ptsz);

namespace {

void* corner(const cudaPitchedPtr& memory, const cudaPos& position) {
  return static_cast<char*>(memory.ptr) + (position.z * memory.ysize + position.y) * memory.pitch +
         position.x;
}

void copy_3d(Runtime& runtime, const cudaMemcpy3DParms* p) {
  if (p == nullptr) fail(cudaErrorInvalidValue, "the parameters are null");
  if (p->srcArray != nullptr || p->dstArray != nullptr)
    fail(cudaErrorNotSupported, "CUDA arrays are not supported by the virtual GPU");
  copy_box(runtime, corner(p->dstPtr, p->dstPos), {p->dstPtr.pitch, p->dstPtr.ysize},
           corner(p->srcPtr, p->srcPos), {p->srcPtr.pitch, p->srcPtr.ysize},
           {p->extent.width, p->extent.height, p->extent.depth}, p->kind);
}

}  // namespace

VGPU_EXPORT cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* p) {
  return api_call(__func__, Errors::Waits, [&](Runtime& runtime) { copy_3d(runtime, p); });
}
VGPU_PER_THREAD_TWIN(cudaMemcpy3D, _ptds);

VGPU_EXPORT cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* p, cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemcpy,
                [=, params = p == nullptr ? cudaMemcpy3DParms{} : *p] {
                  return api_call(name, Errors::Queued, [&](Runtime& runtime) {
                    runtime.require_stream(stream);
                    copy_3d(runtime, p == nullptr ? nullptr : &params);
                  });
                });
}
VGPU_PER_THREAD_TWIN(cudaMemcpy3DAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaMemset(void* target, int value, size_t bytes) {
  return api_call(__func__, Errors::Queued,
                  [&](Runtime& runtime) { fill_box(runtime, target, {}, {bytes}, value); });
}
VGPU_PER_THREAD_TWIN(cudaMemset, _ptds);

VGPU_EXPORT cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes,
                                        cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemset, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      fill_box(runtime, target, {}, {bytes}, value);
    });
  });
}
VGPU_PER_THREAD_TWIN(cudaMemsetAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaMemset2D(void* target, size_t pitch, int value, size_t width,
                                     size_t height) {
  return api_call(__func__, Errors::Queued, [&](Runtime& runtime) {
    fill_box(runtime, target, {pitch}, {width, height}, value);
  });
}
VGPU_PER_THREAD_TWIN(cudaMemset2D, _ptds);

VGPU_EXPORT cudaError_t cudaMemset2DAsync(void* target, size_t pitch, int value, size_t width,
                                          size_t height, cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemset, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      fill_box(runtime, target, {pitch}, {width, height}, value);
    });
  });
}
VGPU_PER_THREAD_TWIN(cudaMemset2DAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaMemset3D(cudaPitchedPtr target, int value, cudaExtent extent) {
  return api_call(__func__, Errors::Queued, [&](Runtime& runtime) {
    fill_box(runtime, target.ptr, {target.pitch, target.ysize},
             {extent.width, extent.height, extent.depth}, value);
  });
}
VGPU_PER_THREAD_TWIN(cudaMemset3D, _ptds);

VGPU_EXPORT cudaError_t cudaMemset3DAsync(cudaPitchedPtr target, int value, cudaExtent extent,
                                          cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemset, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      fill_box(runtime, target.ptr, {target.pitch, target.ysize},
               {extent.width, extent.height, extent.depth}, value);
    });
  });
}
VGPU_PER_THREAD_TWIN(cudaMemset3DAsync, _ptsz);
