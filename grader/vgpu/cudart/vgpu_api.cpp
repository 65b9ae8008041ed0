// include/vgpu/vgpu.h: what a harness asks beyond the CUDA runtime.
#pragma GCC visibility push(default)
#include "vgpu/vgpu.h"
#pragma GCC visibility pop

#include <algorithm>
#include <cstring>

#include "cudart/api.hpp"

using namespace vgpu::cudart;

VGPU_EXPORT int vgpuVersion(void) {
  return 1;
}

VGPU_EXPORT void vgpuReset(void) {
  api_call(__func__, Errors::None, [](Runtime& runtime) {
    runtime.clear_records();
    runtime.findings.clear();
    ++runtime.resets;
    runtime.host_copy_bytes = 0;
    runtime.memory().reset_peaks();
  });
}

VGPU_EXPORT size_t vgpuReport(char* buffer, size_t capacity) {
  size_t length = 0;
  api_call(__func__, Errors::None, [&](Runtime& runtime) {
    std::string text = runtime.report();
    length = text.size();
    if (buffer == nullptr || capacity == 0) return;
    size_t copied = std::min(length, capacity - 1);
    std::memcpy(buffer, text.data(), copied);
    buffer[copied] = '\0';
  });
  return length;
}

VGPU_EXPORT int vgpuNameBuffer(const void* pointer, const char* name) {
  bool named = false;
  api_call(__func__, Errors::None, [&](Runtime& runtime) {
    named = name != nullptr && runtime.memory().set_name(const_cast<void*>(pointer), name);
  });
  return named ? 0 : 1;
}

VGPU_EXPORT void vgpuForgetWrites(const void* pointer, size_t bytes) {
  api_call(__func__, Errors::None,
           [&](Runtime& runtime) { runtime.memory().forget_writes(pointer, bytes); });
}

VGPU_EXPORT void vgpuSetLaunchTimeout(double seconds) {
  api_call(__func__, Errors::None, [&](Runtime& runtime) {
    runtime.device().options().timeout_seconds = seconds > 0 ? seconds : 0;
  });
}
