#include "cudart/transfer.hpp"

#include <cstring>

namespace vgpu::cudart {
namespace {

/// Bytes from the first to one past the last byte of the box.
size_t span(Box box, Layout layout) {
  size_t slice = 0, slices = 0, rows = 0, bytes = 0;
  if (__builtin_mul_overflow(layout.pitch, layout.rows_per_slice, &slice) ||
      __builtin_mul_overflow(slice, box.depth - 1, &slices) ||
      __builtin_mul_overflow(layout.pitch, box.height - 1, &rows) ||
      __builtin_add_overflow(slices, rows, &bytes) ||
      __builtin_add_overflow(bytes, box.width, &bytes))
    fail(cudaErrorInvalidValue, "pitch times height overflows");
  return bytes;
}

void require_pitch(Box box, Layout layout, cudaError_t error) {
  bool single_row = box.height == 1 && box.depth == 1;
  if (!single_row && layout.pitch < box.width)
    fail(error, "the pitch (" + std::to_string(layout.pitch) + " bytes) is below the width (" +
                    std::to_string(box.width) + " bytes)");
}

void require_side(Runtime& runtime, const void* pointer, size_t bytes, bool device,
                  const std::string& role) {
  require_range(runtime.memory(), pointer, bytes, role);
  if (device && runtime.pointers.kind_of(runtime.memory(), pointer) == MemoryKind::Host)
    fail(cudaErrorInvalidValue, role + " is host memory, but the call says it is on the device");
}

}  // namespace

void require_kind(cudaMemcpyKind kind) {
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault)
    fail(cudaErrorInvalidMemcpyDirection, "unknown kind " + std::to_string(kind));
}

void copy_box(Runtime& runtime, void* target, Layout target_layout, const void* source,
              Layout source_layout, Box box, cudaMemcpyKind kind) {
  require_kind(kind);
  if (box.empty()) return;
  require_pitch(box, target_layout, cudaErrorInvalidPitchValue);
  require_pitch(box, source_layout, cudaErrorInvalidPitchValue);
  bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  require_side(runtime, target, span(box, target_layout), to_device, "the destination");
  require_side(runtime, source, span(box, source_layout), from_device, "the source");
  const DeviceMemory& memory = runtime.memory();
  if (memory.is_device_address(target) != memory.is_device_address(source))
    runtime.host_copy_bytes += box.width * box.height * box.depth;
  for (size_t z = 0; z < box.depth; ++z) {
    for (size_t y = 0; y < box.height; ++y) {
      char* to =
          static_cast<char*>(target) + (z * target_layout.rows_per_slice + y) * target_layout.pitch;
      const char* from = static_cast<const char*>(source) +
                         (z * source_layout.rows_per_slice + y) * source_layout.pitch;
      std::memmove(to, from, box.width);
      runtime.memory().note_copied(to, from, box.width);
    }
  }
}

void copy_range(Runtime& runtime, void* target, const void* source, size_t bytes,
                cudaMemcpyKind kind) {
  copy_box(runtime, target, {}, source, {}, {bytes}, kind);
}

void fill_box(Runtime& runtime, void* target, Layout layout, Box box, int value) {
  if (box.empty()) return;
  require_pitch(box, layout, cudaErrorInvalidValue);
  require_side(runtime, target, span(box, layout), true, "the destination");
  for (size_t z = 0; z < box.depth; ++z) {
    for (size_t y = 0; y < box.height; ++y) {
      char* row = static_cast<char*>(target) + (z * layout.rows_per_slice + y) * layout.pitch;
      std::memset(row, value, box.width);
      runtime.memory().note_written(row, box.width);
    }
  }
}

}  // namespace vgpu::cudart
