// Access to `__device__`, `__constant__` and `__managed__` variables by the address of their host
// shadow.
#include "cudart/graph.hpp"
#include "cudart/transfer.hpp"

using namespace vgpu::cudart;

namespace {

char* inside_symbol(Runtime& runtime, const void* symbol, size_t bytes, size_t offset) {
  auto variable = runtime.registry.symbol(runtime, symbol);
  if (offset > variable.size || bytes > variable.size - offset)
    fail(cudaErrorInvalidValue, "offset " + std::to_string(offset) + " + " + std::to_string(bytes) +
                                    " bytes leave the variable of " +
                                    std::to_string(variable.size) + " bytes");
  return static_cast<char*>(variable.address) + offset;
}

void copy_to_symbol(Runtime& runtime, const void* symbol, const void* source, size_t bytes,
                    size_t offset, cudaMemcpyKind kind) {
  if (kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyHostToHost)
    fail(cudaErrorInvalidMemcpyDirection, "a symbol is on the device");
  copy_range(runtime, inside_symbol(runtime, symbol, bytes, offset), source, bytes, kind);
}

void copy_from_symbol(Runtime& runtime, void* target, const void* symbol, size_t bytes,
                      size_t offset, cudaMemcpyKind kind) {
  if (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyHostToHost)
    fail(cudaErrorInvalidMemcpyDirection, "a symbol is on the device");
  copy_range(runtime, target, inside_symbol(runtime, symbol, bytes, offset), bytes, kind);
}

}  // namespace

VGPU_EXPORT cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* source, size_t bytes,
                                           size_t offset, cudaMemcpyKind kind) {
  return api_call(__func__, Errors::Waits, [&](Runtime& runtime) {
    copy_to_symbol(runtime, symbol, source, bytes, offset, kind);
  });
}
VGPU_PER_THREAD_TWIN(cudaMemcpyToSymbol, _ptds);

VGPU_EXPORT cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* source,
                                                size_t bytes, size_t offset, cudaMemcpyKind kind,
                                                cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemcpy, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      copy_to_symbol(runtime, symbol, source, bytes, offset, kind);
    });
  });
}
VGPU_PER_THREAD_TWIN(cudaMemcpyToSymbolAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaMemcpyFromSymbol(void* target, const void* symbol, size_t bytes,
                                             size_t offset, cudaMemcpyKind kind) {
  return api_call(__func__, Errors::Waits, [&](Runtime& runtime) {
    copy_from_symbol(runtime, target, symbol, bytes, offset, kind);
  });
}
VGPU_PER_THREAD_TWIN(cudaMemcpyFromSymbol, _ptds);

VGPU_EXPORT cudaError_t cudaMemcpyFromSymbolAsync(void* target, const void* symbol, size_t bytes,
                                                  size_t offset, cudaMemcpyKind kind,
                                                  cudaStream_t stream) {
  const char* const name = __func__;
  return submit(stream, cudaGraphNodeTypeMemcpy, [=] {
    return api_call(name, Errors::Queued, [&](Runtime& runtime) {
      runtime.require_stream(stream);
      copy_from_symbol(runtime, target, symbol, bytes, offset, kind);
    });
  });
}
VGPU_PER_THREAD_TWIN(cudaMemcpyFromSymbolAsync, _ptsz);

VGPU_EXPORT cudaError_t cudaGetSymbolAddress(void** address, const void* symbol) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    output(address) = runtime.registry.symbol(runtime, symbol).address;
  });
}

VGPU_EXPORT cudaError_t cudaGetSymbolSize(size_t* bytes, const void* symbol) {
  return api_call(__func__, Errors::Sticky, [&](Runtime& runtime) {
    output(bytes) = runtime.registry.symbol(runtime, symbol).size;
  });
}
