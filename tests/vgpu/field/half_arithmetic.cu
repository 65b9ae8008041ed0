// half2 and bfloat162: arithmetic, comparisons, conversions, a dot product with fused operations;
// every operation rounds to nearest.
// No h * g + h: whether ptxas makes one operation of it, rounded once, is its own choice.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "field.cuh"

__device__ half low(half2 v) {
  return __low2half(v);
}
__device__ half high(half2 v) {
  return __high2half(v);
}
__device__ half2 pair(half a, half b) {
  return __halves2half2(a, b);
}
__device__ __nv_bfloat16 low(__nv_bfloat162 v) {
  return __low2bfloat16(v);
}
__device__ __nv_bfloat16 high(__nv_bfloat162 v) {
  return __high2bfloat16(v);
}
__device__ __nv_bfloat162 pair(__nv_bfloat16 a, __nv_bfloat16 b) {
  return __halves2bfloat162(a, b);
}

template <class T2>
__device__ void operations(T2 a, T2 b, T2 c, T2* o) {
  o[0] = __hadd2(a, b);
  o[1] = __hsub2(a, b);
  o[2] = __hmul2(a, b);
  o[3] = __hfma2(a, b, c);
  o[4] = __hmin2(a, b);
  o[5] = __hmax2(a, b);
  o[6] = __habs2(a);
  o[7] = __hneg2(a);
  o[8] = __hgt2(a, b);
  o[9] = __heq2(a, a);
  o[10] = __hfma2_relu(a, b, c);
  o[11] = __lowhigh2highlow(a);
  o[12] = pair(low(a), high(b));
  o[13] = __hadd2_sat(a, b);
}
__global__ void halves(const float* x, half2* out) {
  const float* v = x + 6 * threadIdx.x;
  operations(__floats2half2_rn(v[0], v[1]), __floats2half2_rn(v[2], v[3]),
             __floats2half2_rn(v[4], v[5]), out + 14 * threadIdx.x);
}
__global__ void bfloats(const float* x, __nv_bfloat162* out) {
  const float* v = x + 6 * threadIdx.x;
  operations(__floats2bfloat162_rn(v[0], v[1]), __floats2bfloat162_rn(v[2], v[3]),
             __floats2bfloat162_rn(v[4], v[5]), out + 14 * threadIdx.x);
}

__global__ void scalars(const float* x, float* out) {
  const half h = __float2half_rz(x[threadIdx.x]), g = __float2half_ru(x[threadIdx.x + 1]);
  const __nv_bfloat16 b = __float2bfloat16_rn(x[threadIdx.x]);
  float* o = out + 8 * threadIdx.x;
  o[0] = __half2float(h) + __half2float(g);
  o[1] = __bfloat162float(b);
  o[2] = static_cast<float>(__half2int_rn(h * __float2half(100.0f)));
  o[3] = static_cast<float>(__half_as_ushort(h) ^ __bfloat16_as_ushort(b));
  o[4] = static_cast<float>(h > g) + 2.0f * static_cast<float>(__hisnan(h));
  o[5] = __half2float(hfloor(h)) + __half2float(hrint(g));
  o[6] = __half2float(__int2half_rn(static_cast<int>(x[threadIdx.x] * 5000)));
  o[7] = __half2float(__hfma(h, g, h) - g / __float2half(4.0f));
}

__global__ void dot(const half2* a, const half2* b, float* out, int n) {
  half2 sum = __float2half2_rn(0.0f);
  for (int i = threadIdx.x; i < n; i += 32) sum = __hfma2(a[i], b[i], sum);
  for (int d = 16; d > 0; d /= 2) sum = __hadd2(sum, __shfl_xor_sync(0xffffffff, sum, d));
  if (threadIdx.x == 0) *out = __low2float(sum) + __high2float(sum);
}

int main() {
  float* x = to_device(random_floats(1000, 461));
  half2* h = device_array<half2>(128 * 14);
  halves<<<1, 128>>>(x, h);
  show("half2", reinterpret_cast<unsigned short*>(h), 128 * 28);
  bfloats<<<1, 128>>>(x, reinterpret_cast<__nv_bfloat162*>(h));
  show("bfloat162", reinterpret_cast<unsigned short*>(h), 128 * 28);
  float* out = device_array<float>(128 * 8);
  scalars<<<1, 128>>>(x, out);
  show("scalars", out, 128 * 8);
  std::vector<half2> a, b;
  for (const int v : random_ints(256, -3, 3, 462))
    a.push_back(__floats2half2_rn(static_cast<float>(v), 1.0f));
  for (const int v : random_ints(256, -3, 3, 463))
    b.push_back(__floats2half2_rn(1.0f, static_cast<float>(v)));
  dot<<<1, 32>>>(to_device(a), to_device(b), out, 256);
  show("dot", out, 1);
}
