// System calls of device code that need no vector code: compiled once, used by every variant of
// isa/control.cpp.
#pragma once

#include "machine/warp.hpp"

namespace vgpu {

/// printf from a kernel, lane after lane. Op: a = format, b = arguments (8-byte generic addresses),
/// d = result.
void device_print(Warp& warp, const Op* op);

/// A failed assert(). Op: a = message, b = file, c = line, d = function. Throws Fault.
void device_assert(Warp& warp, const Op* op);

/// malloc in a kernel: memory from the device's heap for each active lane, null when it is full.
/// Op: a = bytes, d = address.
void device_allocate(Warp& warp, const Op* op);

/// free in a kernel. Op: a = address. Throws Fault for what malloc has not given.
void device_free(Warp& warp, const Op* op);

/// An instruction that the virtual GPU does not know, named by its site. Throws Fault.
[[noreturn]] void device_unsupported(Warp& warp, const Op* op);

/// Calls `code`. Lane code has no calls through pointers but those that are jumps to the next
/// handler (tests/vgpu/isa/tail_calls.sh).
void call_compiled(CompiledCode code, uint8_t* registers, const uint8_t* const* shared,
                   uint32_t rows);

}  // namespace vgpu
