// mma.sync: every shape and type of half precision, bfloat16 and tf32, with one warp that fills the
// fragments as the PTX ISA's figures say. Small integers make exact results, random numbers use
// every bit of the operands.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>

#include "program.cuh"

enum class Type { F16, BF16, TF32 };

template <Type kType, int kK, bool kHalfSum>
__device__ void multiply(uint32_t* d, const uint32_t* a, const uint32_t* b, const uint32_t* c) {
#define MMA16(shape, types)                                                                   \
  asm volatile("mma.sync.aligned." shape ".row.col." types                                    \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"         \
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])                               \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(c[0]), \
                 "r"(c[1]), "r"(c[2]), "r"(c[3]))
#define MMA8(shape, types)                                             \
  asm volatile("mma.sync.aligned." shape ".row.col." types             \
               " {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %8, %9, %10};" \
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])        \
               : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(c[0]), "r"(c[1]), "r"(c[2]), "r"(c[3]))
  if constexpr (kHalfSum && kK == 16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, "
        "{%8, %9};"
        : "=r"(d[0]), "=r"(d[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(c[0]), "r"(c[1]));
  } else if constexpr (kHalfSum) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3}, {%4}, {%5, %6};"
        : "=r"(d[0]), "=r"(d[1])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(c[0]), "r"(c[1]));
  } else if constexpr (kType == Type::F16 && kK == 16) {
    MMA16("m16n8k16", "f32.f16.f16.f32");
  } else if constexpr (kType == Type::F16) {
    MMA8("m16n8k8", "f32.f16.f16.f32");
  } else if constexpr (kType == Type::BF16 && kK == 16) {
    MMA16("m16n8k16", "f32.bf16.bf16.f32");
  } else if constexpr (kType == Type::BF16) {
    MMA8("m16n8k8", "f32.bf16.bf16.f32");
  } else if constexpr (kK == 8) {
    MMA16("m16n8k8", "f32.tf32.tf32.f32");
  } else {
    MMA8("m16n8k4", "f32.tf32.tf32.f32");
  }
}

__device__ uint32_t pair(const uint16_t* low, const uint16_t* high) {
  return *low | static_cast<uint32_t>(*high) << 16;
}

// A [16][K] and B [K][8] as bits of the type, C and D [16][8] as float or half bits.
template <Type kType, int kK, bool kHalfSum>
__global__ void product(const void* A, const void* B, const void* C, void* D) {
  const int t = threadIdx.x, row = t / 4, column = t % 4;
  uint32_t a[4] = {}, b[2] = {}, c[4] = {}, d[4] = {};
  if constexpr (kType == Type::TF32) {
    const auto *m = static_cast<const uint32_t*>(A), *n = static_cast<const uint32_t*>(B);
    for (int k = 0; k < kK / 4; ++k) {
      a[2 * k] = m[row * kK + column + 4 * k];
      a[2 * k + 1] = m[(row + 8) * kK + column + 4 * k];
      b[k] = n[(column + 4 * k) * 8 + row];
    }
  } else {
    const auto *m = static_cast<const uint16_t*>(A), *n = static_cast<const uint16_t*>(B);
    for (int k = 0; k < kK / 8; ++k) {
      const uint16_t* const upper = m + row * kK + 2 * column + 8 * k;
      a[2 * k] = pair(upper, upper + 1);
      a[2 * k + 1] = pair(upper + 8 * kK, upper + 8 * kK + 1);
      const uint16_t* const left = n + (2 * column + 8 * k) * 8 + row;
      b[k] = pair(left, left + 8);
    }
  }
  const int at = row * 8 + 2 * column;
  if constexpr (kHalfSum) {
    const auto* const sum = static_cast<const uint16_t*>(C);
    c[0] = pair(sum + at, sum + at + 1);
    c[1] = pair(sum + at + 64, sum + at + 65);
  } else {
    const auto* const sum = static_cast<const uint32_t*>(C);
    for (int i = 0; i < 4; ++i) c[i] = sum[at + i / 2 * 64 + i % 2];
  }
  multiply<kType, kK, kHalfSum>(d, a, b, c);
  if constexpr (kHalfSum) {
    std::memcpy(static_cast<uint16_t*>(D) + at, &d[0], 4);
    std::memcpy(static_cast<uint16_t*>(D) + at + 64, &d[1], 4);
  } else {
    for (int i = 0; i < 4; ++i) static_cast<uint32_t*>(D)[at + i / 2 * 64 + i % 2] = d[i];
  }
}

/// A value in the type's bits, and back, rounded as the type rounds.
struct Encoded {
  uint32_t bits;
  float value;
};
Encoded encode(Type type, float x) {
  if (type == Type::F16) {
    const __half h = __float2half(x);
    return {__half_raw(h).x, __half2float(h)};
  }
  if (type == Type::BF16) {
    const __nv_bfloat16 h = __float2bfloat16(x);
    return {__nv_bfloat16_raw(h).x, __bfloat162float(h)};
  }
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  const uint32_t kept = bits & 0xFFFFE000u;  // the hardware ignores the rest
  float value = 0;
  std::memcpy(&value, &kept, sizeof value);
  return {bits, value};
}

std::vector<char> encode_all(Type type, std::vector<float>& values) {
  const size_t bytes = type == Type::TF32 ? 4 : 2;
  std::vector<char> bits(values.size() * bytes);
  for (size_t i = 0; i < values.size(); ++i) {
    const Encoded e = encode(type, values[i]);
    std::memcpy(&bits[i * bytes], &e.bits, bytes);
    values[i] = e.value;
  }
  return bits;
}

template <Type kType, int kK, bool kHalfSum>
void check_values(const char* what, std::vector<float> A, std::vector<float> B,
                  std::vector<float> C, double tolerance) {
  std::vector<float> want(128);
  const std::vector<char> a = encode_all(kType, A), b = encode_all(kType, B);
  std::vector<char> c(512);
  if (kHalfSum)
    c = encode_all(Type::F16, C);
  else
    std::memcpy(c.data(), C.data(), 512);
  for (int r = 0; r < 16; ++r) {
    for (int n = 0; n < 8; ++n) {
      double sum = C[r * 8 + n];
      for (int k = 0; k < kK; ++k) sum += static_cast<double>(A[r * kK + k]) * B[k * 8 + n];
      want[r * 8 + n] = static_cast<float>(sum);
    }
  }
  DeviceArray<char> da(a), db(b), dc(c), dd(c.size());
  product<kType, kK, kHalfSum><<<1, 32>>>(da.data(), db.data(), dc.data(), dd.data());
  finish_kernels();
  const std::vector<char> bits = dd.host();
  std::vector<float> got(128);
  for (int i = 0; i < 128; ++i) {
    __half h;
    if (kHalfSum) {
      std::memcpy(static_cast<void*>(&h), &bits[2 * i], 2);
      got[i] = __half2float(h);
    } else {
      std::memcpy(&got[i], &bits[4 * i], 4);
    }
  }
  expect(what, got, want, tolerance, tolerance);
}

template <Type kType, int kK, bool kHalfSum>
void check(const char* what) {
  std::vector<float> A(16 * kK), B(kK * 8), C(128);
  for (size_t i = 0; i < A.size(); ++i) A[i] = static_cast<float>(static_cast<int>(i * 5 % 13) - 6);
  for (size_t i = 0; i < B.size(); ++i) B[i] = static_cast<float>(static_cast<int>(i * 7 % 11) - 5);
  for (size_t i = 0; i < C.size(); ++i) C[i] = static_cast<float>(static_cast<int>(i) - 60);
  check_values<kType, kK, kHalfSum>(what, A, B, C, 0.0);
  check_values<kType, kK, kHalfSum>(what, random_floats(A.size(), 1), random_floats(B.size(), 2),
                                    random_floats(128, 3), kHalfSum ? 2e-3 : 2e-6);
}

int main() {
  check<Type::F16, 16, false>("m16n8k16 f16, f32 sums");
  check<Type::F16, 8, false>("m16n8k8 f16, f32 sums");
  check<Type::F16, 16, true>("m16n8k16 f16, f16 sums");
  check<Type::F16, 8, true>("m16n8k8 f16, f16 sums");
  check<Type::BF16, 16, false>("m16n8k16 bf16");
  check<Type::BF16, 8, false>("m16n8k8 bf16");
  check<Type::TF32, 8, false>("m16n8k8 tf32");
  check<Type::TF32, 4, false>("m16n8k4 tf32");
  return verdict();
}
