// Packed integers: dp4a and dp2a, SIMD-in-a-word intrinsics, bit fields, byte permutations, funnel
// shifts, wide products, a quantised layer.
#include "field.cuh"

__global__ void intrinsics(const unsigned* a, const unsigned* b, unsigned* out) {
  const int i = threadIdx.x;
  const unsigned x = a[i], y = b[i];
  unsigned* o = out + 32 * i;
  o[0] = static_cast<unsigned>(__dp4a(static_cast<int>(x), static_cast<int>(y), -77));
  o[1] = __dp4a(x, y, 5u);
  o[2] = static_cast<unsigned>(__dp2a_lo(static_cast<int>(x), static_cast<int>(y), 3));
  o[3] = __dp2a_hi(x, y, 9u);
  o[4] = __vadd4(x, y);
  o[5] = __vaddss2(x, y);
  o[6] = __vsubus4(x, y);
  o[7] = __vmaxs4(x, y);
  o[8] = __vminu2(x, y);
  o[9] = __vabsdiffu4(x, y);
  o[10] = __vsadu4(x, y);
  o[11] = __vcmpgts4(x, y);
  o[12] = __vavgu4(x, y);
  o[13] = __byte_perm(x, y, 0x3715);
  o[14] = __funnelshift_l(x, y, i);
  o[15] = __funnelshift_rc(x, y, i);
  o[16] = __brev(x);
  o[17] = static_cast<unsigned>(__clz(static_cast<int>(x >> i % 32)));
  o[18] = static_cast<unsigned>(__ffs(static_cast<int>(y << i % 32)));
  o[19] = __popc(x ^ y);
  o[20] = __umulhi(x, y);
  o[21] = static_cast<unsigned>(__mul24(static_cast<int>(x), static_cast<int>(y)));
  o[22] = __usad(x, y, 11u);
  o[23] = __uhadd(x, y);
  o[24] = __urhadd(x, y);
  o[25] = static_cast<unsigned>(__popcll(static_cast<unsigned long long>(x) * y));
  o[26] = static_cast<unsigned>(
      __umul64hi(static_cast<unsigned long long>(x) << 32 | y, 0x123456789abcdefull));
  o[27] = static_cast<unsigned>(__ffsll(static_cast<long long>(y) << 20));
  o[28] = x / (y | 1) + x % (y | 1);
  o[29] = static_cast<unsigned>(static_cast<int>(x) / (static_cast<int>(y) | 1));
  o[30] = __vimax3_u32(x, y, 1u << 31);
  o[31] = __viaddmin_u32(x, y, 1u << 30);
}

__global__ void big_multiply(const unsigned* a, const unsigned* b,
                             unsigned* out) {  // 128 x 128 -> 256 bits, by carries
  const unsigned *x = a + 4 * threadIdx.x, *y = b + 4 * threadIdx.x;
  unsigned r[8] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    unsigned carry = 0;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const unsigned long long t = static_cast<unsigned long long>(x[i]) * y[j] + r[i + j] + carry;
      r[i + j] = static_cast<unsigned>(t);
      carry = static_cast<unsigned>(t >> 32);
    }
    r[i + 4] = carry;
  }
  unsigned low, high;
  asm("add.cc.u32 %0, %2, %3; addc.u32 %1, %4, %5;"
      : "=r"(low), "=r"(high)
      : "r"(r[0]), "r"(r[4]), "r"(r[1]), "r"(r[5]));
  for (int i = 0; i < 8; ++i) out[10 * threadIdx.x + i] = r[i];
  out[10 * threadIdx.x + 8] = low;
  out[10 * threadIdx.x + 9] = high;
}

__global__ void quantised_layer(const int* activations, const int* weights, const float* scales,
                                signed char* out, int words) {
  const int o = blockIdx.x * blockDim.x + threadIdx.x;
  int sum = 0;
  for (int k = 0; k < words; ++k)
    sum = __dp4a(activations[blockIdx.y * words + k], weights[o * words + k], sum);
  const int rounded = __float2int_rn(static_cast<float>(sum) * scales[o]);
  out[blockIdx.y * gridDim.x * blockDim.x + o] =
      static_cast<signed char>(max(-128, min(127, rounded)));
}

std::vector<unsigned> words(size_t count, uint32_t seed) {
  std::vector<unsigned> result;
  for (const int x : random_ints(count, 0, (1 << 24) - 1, seed))
    result.push_back(static_cast<unsigned>(x) * 2654435761u);
  return result;
}

int main() {
  unsigned* a = to_device(words(512, 451));
  unsigned* b = to_device(words(512, 452));
  unsigned* out = device_array<unsigned>(64 * 32);
  intrinsics<<<1, 64>>>(a, b, out);
  show("intrinsics", out, 64 * 32);
  big_multiply<<<1, 128>>>(a, b, out);
  show("products", out, 1280);
  std::vector<float> scales;
  for (int i = 0; i < 64; ++i) scales.push_back(1.0f / static_cast<float>(1024 << i % 4));
  signed char* layer = device_array<signed char>(64 * 4);
  quantised_layer<<<dim3(2, 4), 32>>>(reinterpret_cast<int*>(a), reinterpret_cast<int*>(b),
                                      to_device(scales), layer, 8);
  show("layer", layer, 256);
}
