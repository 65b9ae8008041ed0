// What the runtime of CUDA 12 has beside that of CUDA 13: signatures that changed, and names that
// went.
// (`nm -D` of NVIDIA's libcudart.so.12 and cuda_runtime_api.h, both of CUDA 12.9.)
#include "cudart/api.hpp"

#undef cudaGraphAddDependencies
#undef cudaGraphGetEdges
#undef cudaGraphNodeGetDependencies
#undef cudaGraphRemoveDependencies
#undef cudaMemAdvise
#undef cudaMemPrefetchAsync
#undef cudaMemPrefetchAsync_ptsz
#undef cudaStreamGetCaptureInfo
#undef cudaStreamGetCaptureInfo_ptsz

// Graphs without the data of their edges.
VGPU_EXPORT cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                                 const cudaGraphNode_t* to, size_t count) {
  return cudaGraphAddDependencies_v2(graph, from, to, nullptr, count);
}

VGPU_EXPORT cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                                    const cudaGraphNode_t* to, size_t count) {
  return cudaGraphRemoveDependencies_v2(graph, from, to, nullptr, count);
}

VGPU_EXPORT cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from,
                                          cudaGraphNode_t* to, size_t* count) {
  return cudaGraphGetEdges_v2(graph, from, to, nullptr, count);
}

VGPU_EXPORT cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node,
                                                     cudaGraphNode_t* dependencies, size_t* count) {
  return cudaGraphNodeGetDependencies_v2(node, dependencies, nullptr, count);
}

VGPU_EXPORT cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream,
                                                    cudaStreamCaptureStatus* status,
                                                    unsigned long long* id, cudaGraph_t* graph,
                                                    const cudaGraphNode_t** dependencies,
                                                    size_t* count) {
  return cudaStreamGetCaptureInfo_v3(stream, status, id, graph, dependencies, nullptr, count);
}
VGPU_PER_THREAD_TWIN(cudaStreamGetCaptureInfo_v2, _ptsz);

VGPU_EXPORT cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream,
                                                 cudaStreamCaptureStatus* status,
                                                 unsigned long long* id) {
  return cudaStreamGetCaptureInfo_v3(stream, status, id, nullptr, nullptr, nullptr, nullptr);
}
VGPU_PER_THREAD_TWIN(cudaStreamGetCaptureInfo, _ptsz);

// Hints about managed memory name a device, not a place. Both have nothing to do here.
VGPU_EXPORT cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, cudaMemoryAdvise advice,
                                      int) {
  return cudaMemAdvise_v2(pointer, bytes, advice, {});
}

VGPU_EXPORT cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t bytes, int,
                                             cudaStream_t stream) {
  return cudaMemPrefetchAsync_v2(pointer, bytes, {}, 0, stream);
}
VGPU_PER_THREAD_TWIN(cudaMemPrefetchAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaEventElapsedTime_v2(float* milliseconds, cudaEvent_t start,
                                                cudaEvent_t end) {
  return cudaEventElapsedTime(milliseconds, start, end);
}

// Names of the first CUDA, deprecated ever since.
VGPU_EXPORT cudaError_t cudaThreadSynchronize() {
  return cudaDeviceSynchronize();
}

VGPU_EXPORT cudaError_t cudaThreadExit() {
  return cudaDeviceReset();
}

VGPU_EXPORT cudaError_t cudaThreadGetLimit(size_t* value, cudaLimit which) {
  return cudaDeviceGetLimit(value, which);
}

VGPU_EXPORT cudaError_t cudaThreadSetLimit(cudaLimit which, size_t value) {
  return cudaDeviceSetLimit(which, value);
}

VGPU_EXPORT cudaError_t cudaThreadGetCacheConfig(cudaFuncCache* config) {
  return cudaDeviceGetCacheConfig(config);
}

VGPU_EXPORT cudaError_t cudaThreadSetCacheConfig(cudaFuncCache config) {
  return cudaDeviceSetCacheConfig(config);
}
