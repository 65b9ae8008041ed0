// What CUDA C++ alone makes nvcc emit: calls of every kind, printf and assert, recursion, virtual
// functions, switches, dynamic stack, atomics, warp intrinsics, the slow paths of the maths
// library, half precision.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cassert>
#include <cstdio>

struct Config {
  char tag;
  double scale;
  int* counters;
  short limits[3];
};

__constant__ float table[4] = {1.5f, -2.0f, 3.0f, 0.0f};
__device__ int counters[8] = {1, -2, 3};
__device__ __managed__ int managed = 7;
extern __shared__ float dynamic_shared[];

typedef float (*Unary)(float);
__device__ __noinline__ float increment(float x) {
  return x + 1;
}
__device__ __noinline__ float twice(float x) {
  return x * 2;
}
__device__ Unary functions[2] = {increment, twice};

__global__ void __launch_bounds__(128, 2)
    warp_and_calls(float* out, const float* __restrict__ in, int n, Config config) {
  __shared__ __align__(16) float tile[4][33];
  const int i = threadIdx.x;
  if (i < n) tile[i & 3][i % 33] = in[i] + table[i & 3];
  __syncthreads();
  float v = tile[(i + 1) & 3][i % 33] + dynamic_shared[i];
  v += __shfl_xor_sync(~0u, v, 3);
  int all = 0;
  v += __match_all_sync(~0u, i, &all) + __popc(__ballot_sync(~0u, v > 1.0f)) + all;
  out[i] = functions[i & 1](v) + static_cast<float>(config.scale) + *config.counters;
  assert(v < 100.0f);
  printf("%d %f\n", i, v);
  atomicAdd(&counters[i & 7], 1);
  atomicCAS(&managed, 1, 2);
}

__device__ __noinline__ int fibonacci(int n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__global__ void recursion_and_stack(int* out, int n) {
  int local[64];
  for (int i = 0; i < n; ++i) local[i & 63] = i * n;
  int* dynamic = static_cast<int*>(alloca(n * 4));
  for (int i = 0; i < n; ++i) dynamic[i] = out[i];
  out[0] = fibonacci(n) + local[n & 63] + dynamic[n / 2];
  if (n > 1000) __trap();
}

__global__ void switches(int* out, int n) {
  switch (n) {
    case 0:
      out[0] = 1;
      break;
    case 1:
      out[3] = out[2] * 2;
      break;
    case 2:
      out[7] = 6;
      __syncthreads();
      break;
    case 3:
      out[1] ^= 5;
      break;
    case 4:
      atomicAdd(out, 2);
      break;
    case 5:
      out[3] = __clz(n + out[2]);
      break;
    case 6:
      out[9] = out[8] / 7;
      break;
    case 7:
      out[1] = static_cast<int>(clock64());
      break;
    default:
      out[9] = 1;
  }
}

__global__ void maths(double* d, float* f, int n) {
  d[n] = sin(d[0]) * pow(d[1], d[2]) + exp(d[3]) + erf(d[4]) + tgamma(d[5]);
  f[n] = sinf(f[0]) + powf(f[1], f[2]) + expf(f[3]) + __expf(f[4]) + tanhf(f[5]) + rsqrtf(f[8]);
}

__global__ void halves(__half2* h, __nv_bfloat162* b, float* f) {
  h[0] = __hfma2(h[1], h[2], h[3]);
  b[0] = __floats2bfloat162_rn(f[1], f[2]);
  f[0] = __half2float(__low2half(h[4])) + __bfloat162float(__low2bfloat16(b[4]));
}

struct Base {
  __device__ virtual float apply(float x) { return x; }
  __device__ virtual ~Base() {}
};
struct Square : Base {
  __device__ float apply(float x) override { return x * x; }
};
__global__ void virtual_calls(float* out, Base* given) {
  Square square;
  Base* chosen = out[0] > 0 ? given : &square;
  out[1] = chosen->apply(out[2]);
  Base* made = new Square;
  out[2] = made->apply(out[1]);
  delete made;
}
