// Copies and fills, checked against the allocations on both sides.
#pragma once

#include "cudart/api.hpp"

namespace vgpu::cudart {

/// A box of `width` bytes by `height` rows by `depth` slices in pitched memory. A plain range is
/// one row.
struct Box {
  size_t width = 0, height = 1, depth = 1;
  bool empty() const { return width == 0 || height == 0 || depth == 0; }
};

/// Where a box lies: rows are `pitch` bytes apart, slices `pitch * rows_per_slice`.
struct Layout {
  size_t pitch = 0, rows_per_slice = 0;
};

/// Fails with cudaErrorInvalidMemcpyDirection for an unknown `kind`.
void require_kind(cudaMemcpyKind kind);

/// Copies a box. Fails with cudaErrorInvalidMemcpyDirection for an unknown `kind`, and with
/// cudaErrorInvalidValue when a range is null, leaves its allocation, or is ordinary host memory
/// where `kind` says device. Other contradictions between `kind` and the pointers are accepted, as
/// by NVIDIA's runtime with unified addressing.
void copy_box(Runtime& runtime, void* target, Layout target_layout, const void* source,
              Layout source_layout, Box box, cudaMemcpyKind kind);

/// copy_box for a plain range.
void copy_range(Runtime& runtime, void* target, const void* source, size_t bytes,
                cudaMemcpyKind kind);

/// Sets every byte of a box of memory that the device can see.
void fill_box(Runtime& runtime, void* target, Layout layout, Box box, int value);

}  // namespace vgpu::cudart
