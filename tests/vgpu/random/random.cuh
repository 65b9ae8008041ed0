// What the generated kernels of generate.py share: arithmetic without undefined behaviour, values
// from random bits, and the host's part. Only operations with one right answer: integers, IEEE
// arithmetic with its rounding modes, conversions.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

using s8 = int8_t;
using u8 = uint8_t;
using s16 = int16_t;
using u16 = uint16_t;
using s32 = int32_t;
using u32 = uint32_t;
using s64 = long long;
using u64 = unsigned long long;
using f16 = __half;
using bf16 = __nv_bfloat16;
using f32 = float;
using f64 = double;

#define DEVICE __device__ __forceinline__

// --- integers: everything wraps, nothing is undefined ---
/// The unsigned type in which T's arithmetic is done: at least 32 bits, or products of short types
/// would overflow int.
template <class T>
using Wrap = std::conditional_t<sizeof(T) == 8, u64, u32>;

template <class T>
DEVICE T add(T a, T b) {
  return T(Wrap<T>(a) + Wrap<T>(b));
}
template <class T>
DEVICE T sub(T a, T b) {
  return T(Wrap<T>(a) - Wrap<T>(b));
}
template <class T>
DEVICE T mul(T a, T b) {
  return T(Wrap<T>(a) * Wrap<T>(b));
}
template <class T>
DEVICE T divide(T a, T b) {
  if (b == 0) return a;
  if (std::is_signed_v<T> && b == T(-1)) return sub(T(0), a);
  return T(a / b);
}
template <class T>
DEVICE T modulo(T a, T b) {
  if (b == 0 || (std::is_signed_v<T> && b == T(-1))) return 0;
  return T(a % b);
}
template <class T>
DEVICE T least(T a, T b) {
  return a < b ? a : b;
}
template <class T>
DEVICE T greatest(T a, T b) {
  return a < b ? b : a;
}
template <class T>
DEVICE T shl(T a, u32 n) {
  return T(Wrap<T>(a) << (n & (8 * sizeof(T) - 1)));
}
template <class T>
DEVICE T shr(T a, u32 n) {
  return T(a >> (n & (8 * sizeof(T) - 1)));
}

// --- bits and values ---
/// The bits of a value. All NaN are one: which one comes out is up to the compiler.
template <class T>
DEVICE u64 bits(T x) {
  if constexpr (std::is_integral_v<T>)
    return u64(x);
  else if constexpr (std::is_same_v<T, f32>)
    return x != x ? 0x7FC00000u : __float_as_uint(x);
  else if constexpr (std::is_same_v<T, f64>)
    return x != x ? 0x7FF8000000000000u : u64(__double_as_longlong(x));
  else if constexpr (std::is_same_v<T, f16>)
    return __hisnan(x) ? 0x7E00u : __half_as_ushort(x);
  else
    return __hisnan(x) ? 0x7FC0u : __bfloat16_as_ushort(x);
}
/// A value of random bits: for floats any pattern one time out of four, else a number of moderate
/// size.
template <class T>
DEVICE T pick(u64 r) {
  const bool any = (r >> 62) == 0;
  const auto moderate = s32(u32(r)) >> (8 + (r >> 58 & 15));
  if constexpr (std::is_integral_v<T>)
    return T(r);
  else if constexpr (std::is_same_v<T, f32>)
    return any ? __uint_as_float(u32(r)) : f32(moderate) * 0.0625f;
  else if constexpr (std::is_same_v<T, f64>)
    return any ? __longlong_as_double(s64(r << 2)) : f64(s32(u32(r))) * 0.0078125;
  else if constexpr (std::is_same_v<T, f16>)
    return any ? __ushort_as_half(u16(r)) : __float2half_rn(f32(moderate >> 8) * 0.0625f);
  else
    return any ? __ushort_as_bfloat16(u16(r)) : __float2bfloat16_rn(f32(moderate) * 0.0625f);
}
/// Mixes a value into a hash.
DEVICE u64 mix(u64 hash, u64 value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}
template <class... T>
DEVICE u64 digest(T... values) {
  u64 hash = 1;
  ((hash = mix(hash, bits(values))), ...);
  return hash;
}

// --- conversions: out of range they saturate, which the intrinsics promise and casts do not ---
template <class To>
DEVICE To from_f32(f32 x) {
  if constexpr (std::is_same_v<To, f32> || std::is_same_v<To, f64>)
    return x;
  else if constexpr (std::is_same_v<To, f16>)
    return __float2half_rn(x);
  else if constexpr (std::is_same_v<To, bf16>)
    return __float2bfloat16_rn(x);
  else if constexpr (sizeof(To) == 8)
    return std::is_signed_v<To> ? To(__float2ll_rz(x)) : To(__float2ull_rz(x));
  else
    return std::is_signed_v<To> ? To(__float2int_rz(x)) : To(__float2uint_rz(x));
}
template <class To, class From>
DEVICE To convert(From x) {
  if constexpr (std::is_same_v<To, From>)
    return x;
  else if constexpr (std::is_integral_v<From>) {
    if constexpr (std::is_integral_v<To> || std::is_same_v<To, f32> || std::is_same_v<To, f64>)
      return To(x);
    else if constexpr (std::is_same_v<To, f16>)
      return std::is_signed_v<From> ? __ll2half_rn(s64(x)) : __ull2half_rn(u64(x));
    else
      return std::is_signed_v<From> ? __ll2bfloat16_rn(s64(x)) : __ull2bfloat16_rn(u64(x));
  } else if constexpr (std::is_same_v<From, f64>) {
    if constexpr (std::is_same_v<To, f32>)
      return __double2float_rn(x);
    else if constexpr (std::is_same_v<To, f16>)
      return __double2half(x);
    else if constexpr (std::is_same_v<To, bf16>)
      return __double2bfloat16(x);
    else if constexpr (sizeof(To) == 8)
      return std::is_signed_v<To> ? To(__double2ll_rz(x)) : To(__double2ull_rz(x));
    else
      return std::is_signed_v<To> ? To(__double2int_rz(x)) : To(__double2uint_rz(x));
  } else if constexpr (std::is_same_v<From, f16>) {
    return from_f32<To>(__half2float(x));
  } else if constexpr (std::is_same_v<From, bf16>) {
    return from_f32<To>(__bfloat162float(x));
  } else {
    return from_f32<To>(x);
  }
}

// --- the host ---
constexpr u32 kCells = 64;  ///< of 32 bits, and as many of 64, that all threads update atomically
constexpr u32 kWords = 8;   ///< random words of input for each thread

/// A kernel: `in` has kWords words for each thread, `out` one result, `cells` and `wide` are shared
/// by all.
using Kernel = void (*)(const u64* in, u64* out, u32* cells, u64* wide, u32 n);
struct Case {
  const char* name;
  Kernel kernel;
  u32 block;  ///< threads
};

#define CHECK(call)                                                                        \
  do {                                                                                     \
    const cudaError_t error = (call);                                                      \
    if (error != cudaSuccess) {                                                            \
      std::fprintf(stderr, "%s: %s: %s\n", kernel_name, #call, cudaGetErrorString(error)); \
      std::exit(1);                                                                        \
    }                                                                                      \
  } while (false)

inline u64 next_random(u64& state) {  // SplitMix64
  u64 z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Runs every case twice and prints `NAME HASH HASH`.
template <size_t N>
int run_cases(const Case (&cases)[N]) {
  const char* kernel_name = "start";
  constexpr u32 kMostThreads = 512;
  std::vector<u64> in(kMostThreads * kWords), out(kMostThreads), wide(kCells);
  std::vector<u32> cells(kCells);
  u64 *d_in, *d_out, *d_wide;
  u32* d_cells;
  CHECK(cudaMalloc(&d_in, in.size() * 8));
  CHECK(cudaMalloc(&d_out, out.size() * 8));
  CHECK(cudaMalloc(&d_wide, wide.size() * 8));
  CHECK(cudaMalloc(&d_cells, cells.size() * 4));
  for (const Case& one : cases) {
    kernel_name = one.name;
    std::printf("%s", one.name);
    for (u64 launch = 0; launch < 2; ++launch) {
      u64 state = launch + 1;
      for (u64& word : in) {
        const u64 r = next_random(state);
        word = r % 3 == 0 ? r : r % 3 == 1 ? r >> (r >> 8) % 64 : ~(r >> (r >> 8) % 64);
      }
      const u32 grid = launch == 0 ? 1 : 3;
      CHECK(cudaMemcpy(d_in, in.data(), in.size() * 8, cudaMemcpyHostToDevice));
      CHECK(cudaMemset(d_out, 0, out.size() * 8));
      CHECK(cudaMemset(d_wide, 0, wide.size() * 8));
      CHECK(cudaMemset(d_cells, 0, cells.size() * 4));
      one.kernel<<<grid, one.block>>>(d_in, d_out, d_cells, d_wide, u32(2 + launch));
      CHECK(cudaGetLastError());
      CHECK(cudaDeviceSynchronize());
      CHECK(cudaMemcpy(out.data(), d_out, out.size() * 8, cudaMemcpyDeviceToHost));
      CHECK(cudaMemcpy(wide.data(), d_wide, wide.size() * 8, cudaMemcpyDeviceToHost));
      CHECK(cudaMemcpy(cells.data(), d_cells, cells.size() * 4, cudaMemcpyDeviceToHost));
      u64 hash = 0;
      const auto fold = [&](u64 value) {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
      };
      for (const u64 value : out) fold(value);
      for (const u64 value : wide) fold(value);
      for (const u32 value : cells) fold(value);
      std::printf(" %016llx", hash);
    }
    std::printf("\n");
  }
  return 0;
}
