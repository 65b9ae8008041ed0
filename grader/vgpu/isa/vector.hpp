// Eight to sixteen lanes in one register, for the few loops that keep values in registers across
// operations. Everything else is left to the compiler's vectoriser (isa/lanes.hpp).
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "machine/variant.hpp"

namespace vgpu::VGPU_VARIANT {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif
inline constexpr int kVectors = 128 / kVectorBytes;  // for 32 lanes

using Vec = float __attribute__((vector_size(kVectorBytes)));
using IntVec = int32_t __attribute__((vector_size(kVectorBytes)));

[[gnu::always_inline]] inline Vec load_vector(const uint8_t* from) {
  Vec v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
[[gnu::always_inline]] inline void store_vector(uint8_t* to, Vec v) {
  std::memcpy(to, &v, sizeof v);
}

/// a * b + c, rounded once.
[[gnu::always_inline]] inline Vec fused(Vec a, Vec b, Vec c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  for (size_t i = 0; i < sizeof a / sizeof(float); ++i) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
#endif
}

/// NaN becomes the hardware's NaN.
[[gnu::always_inline]] inline Vec canonical_nan(Vec v) {
  const IntVec ordered = v == v;
  const IntVec nan = IntVec{} + 0x7FFFFFFF;
  return (Vec)(((IntVec)v & ordered) | (nan & ~ordered));
}

}  // namespace vgpu::VGPU_VARIANT
