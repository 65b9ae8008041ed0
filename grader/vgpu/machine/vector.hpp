// Several lanes in one vector register, for the few loops that keep values in registers across
// operations or that the compiler does not turn into vectors. Everything else is left to its
// vectoriser (isa/lanes.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

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
inline constexpr int kVectors = 128 / kVectorBytes;  // for 32 lanes of 4 bytes

template <class T>
struct Vectors {
  using Type [[gnu::vector_size(kVectorBytes)]] = T;
};
template <class T>
using VectorOf = typename Vectors<T>::Type;
using Vec = VectorOf<float>;
using IntVec = VectorOf<int32_t>;

template <class V = Vec>
[[gnu::always_inline]] inline V load_vector(const void* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
template <class V>
[[gnu::always_inline]] inline void store_vector(void* to, V v) {
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

/// One bit for each element: its highest.
template <class V>
[[gnu::always_inline]] inline uint32_t sign_bits(V v) {
#if defined(__AVX512F__)
  if constexpr (sizeof v[0] == 8) return _mm512_movepi64_mask((__m512i)v);
  return _mm512_movepi32_mask((__m512i)v);
#elif defined(__AVX2__)
  if constexpr (sizeof v[0] == 8) return static_cast<uint32_t>(_mm256_movemask_pd((__m256d)v));
  return static_cast<uint32_t>(_mm256_movemask_ps((__m256)v));
#else
  uint32_t bits = 0;
  for (size_t i = 0; i < sizeof v / sizeof v[0]; ++i)
    bits |= static_cast<uint32_t>(v[i] >> (8 * sizeof v[0] - 1) & 1) << i;
  return bits;
#endif
}

template <class V>
[[gnu::always_inline]] inline bool is_zero(V v) {
#if defined(__AVX512F__)
  return _mm512_test_epi64_mask((__m512i)v, (__m512i)v) == 0;
#elif defined(__AVX2__)
  return _mm256_testz_si256((__m256i)v, (__m256i)v) != 0;
#else
  const auto words = (VectorOf<uint64_t>)v;
  return (words[0] | words[1]) == 0;
#endif
}

/// The elements of `v` and then `following`, from the second on.
template <class V, size_t... I>
[[gnu::always_inline]] inline V shifted(V v, V following, std::index_sequence<I...>) {
#if defined(__AVX2__) && !defined(__AVX512F__)  // the compiler finds no short way by itself
  const V mixed = __builtin_shufflevector(v, following, (I == 0 ? sizeof...(I) : I)...);
  return __builtin_shufflevector(mixed, mixed, ((I + 1) % sizeof...(I))...);
#else
  return __builtin_shufflevector(v, following, (I + 1)...);
#endif
}

/// Element i of the result is v[i ^ distance], or of a vector `distance` further when there are
/// fewer.
[[gnu::always_inline]] inline IntVec exchanged(IntVec v, int distance) {
  constexpr int kEach = kVectorBytes / 4;
  IntVec from{};
  for (int i = 0; i < kEach; ++i) from[i] = i;
  from = (from ^ distance) & (kEach - 1);
#if defined(__AVX512F__)
  // Not the unmasked one: GCC 12 takes what it leaves open for an uninitialised value.
  return (IntVec)_mm512_maskz_permutexvar_epi32(0xFFFF, (__m512i)from, (__m512i)v);
#elif defined(__AVX2__)
  return (IntVec)_mm256_permutevar8x32_epi32((__m256i)v, (__m256i)from);
#else
  IntVec result;
  for (int i = 0; i < kEach; ++i) result[i] = v[from[i]];
  return result;
#endif
}

/// Whether all 32 lanes hold the same value.
template <class T>
[[gnu::always_inline]] inline bool is_uniform(const T* lanes) {
  using V = VectorOf<T>;
  constexpr int kEach = kVectorBytes / static_cast<int>(sizeof(T));
  V differs{};
  for (int i = 0; i < 32; i += kEach) differs |= load_vector<V>(lanes + i) ^ (lanes[0] - V{});
  return is_zero(differs);
}

/// visit(first lane, lanes, the lanes after them) for 32 lanes, a vector at a time; after lane 31
/// comes `last`.
template <class T, class Visit>
[[gnu::always_inline]] inline void visit_neighbours(const T* lanes, T last, Visit visit) {
  using V = VectorOf<T>;
  constexpr int kEach = kVectorBytes / static_cast<int>(sizeof(T));
  // Each lane is read once: one that spans two vectors stored a moment ago would wait for both.
  V here = load_vector<V>(lanes);
#pragma GCC unroll 16
  for (int i = 0; i < 32; i += kEach) {
    const V following = i + kEach < 32 ? load_vector<V>(lanes + i + kEach) : last - V{};
    visit(i, here, shifted(here, following, std::make_index_sequence<size_t{kEach}>{}));
    here = following;
  }
}

/// NaN becomes the hardware's NaN.
[[gnu::always_inline]] inline Vec canonical_nan(Vec v) {
  const IntVec ordered = v == v;
  const IntVec nan = IntVec{} + 0x7FFFFFFF;
  return (Vec)(((IntVec)v & ordered) | (nan & ~ordered));
}

}  // namespace vgpu::VGPU_VARIANT
