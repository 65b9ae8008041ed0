// The lane code is compiled several times, for different vector instruction sets, each time in a
// namespace of its own.
#pragma once

#ifndef VGPU_VARIANT
#define VGPU_VARIANT baseline
#endif
