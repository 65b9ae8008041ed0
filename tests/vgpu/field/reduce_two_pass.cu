// Reductions with shuffles: two passes over a grid, vector loads, several operators by template,
// and the index of the maximum.
#include <cfloat>

#include <climits>

#include "field.cuh"

struct Sum {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Max {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};
struct ArgMax {
  __device__ int2 operator()(int2 a, int2 b) const {
    return a.x > b.x || (a.x == b.x && a.y < b.y) ? a : b;
  }
};

__device__ int2 shuffle_down(int2 v, int d) {
  return {__shfl_down_sync(0xffffffff, v.x, d), __shfl_down_sync(0xffffffff, v.y, d)};
}
template <class T>
__device__ T shuffle_down(T v, int d) {
  return __shfl_down_sync(0xffffffff, v, d);
}

template <class T, class Op>
__device__ T warp_reduce(T v, Op op) {
#pragma unroll
  for (int d = 16; d > 0; d >>= 1) v = op(v, shuffle_down(v, d));
  return v;
}

template <class T, class Op>
__device__ T block_reduce(T v, Op op, T identity) {
  __shared__ T partial[32];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  v = warp_reduce(v, op);
  __syncthreads();
  if (lane == 0) partial[warp] = v;
  __syncthreads();
  v = threadIdx.x < (blockDim.x + 31) / 32 ? partial[lane] : identity;
  if (warp == 0) v = warp_reduce(v, op);
  return v;
}

template <class T, class Op>
__global__ void reduce(const T* __restrict__ in, T* out, int n, Op op, T identity) {
  T v = identity;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)
    v = op(v, in[i]);
  v = block_reduce(v, op, identity);
  if (threadIdx.x == 0) out[blockIdx.x] = v;
}

__global__ void reduce_float4(const float4* __restrict__ in, double* out, int n4) {
  double sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n4; i += blockDim.x * gridDim.x) {
    const float4 v = in[i];
    sum += static_cast<double>(v.x) + v.y + v.z + v.w;
  }
  sum = block_reduce(sum, Sum{}, 0.0);
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

__global__ void arg_max(const int* in, int2* out, int n) {
  int2 best = {INT_MIN, -1};
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)
    best = ArgMax{}(best, make_int2(in[i], i));
  best = block_reduce(best, ArgMax{}, make_int2(INT_MIN, -1));
  if (threadIdx.x == 0) out[blockIdx.x] = best;
}

template <class T, class Op>
void two_pass(const char* name, const std::vector<T>& values, Op op, T identity) {
  T* in = to_device(values);
  T* partial = device_array<T>(64);
  T* out = device_array<T>(1);
  reduce<<<64, 192>>>(in, partial, static_cast<int>(values.size()), op, identity);
  reduce<<<1, 64>>>(partial, out, 64, op, identity);
  CHECK(cudaDeviceSynchronize());
  std::printf("%s: %.17g\n", name, static_cast<double>(to_host(out, 1)[0]));
  CHECK(cudaFree(in));
  CHECK(cudaFree(partial));
  CHECK(cudaFree(out));
}

int main() {
  const int n = 1 << 17;
  two_pass("sum of int", random_ints(n, -50, 50, 3), Sum{}, 0);
  two_pass("sum of float", random_whole<float>(n, -50, 50, 4), Sum{}, 0.0f);
  two_pass("sum of unsigned long long", random_whole<unsigned long long>(n, 0, 1 << 20, 5), Sum{},
           0ull);
  two_pass("max of double", random_whole<double>(n, -1 << 20, 1 << 20, 6), Max{}, -DBL_MAX);
  two_pass("max of short", random_whole<short>(n, -30000, 30000, 6), Max{},
           static_cast<short>(-32768));

  float* in = to_device(random_floats(n, 7));
  double* out = device_array<double>(32);
  reduce_float4<<<32, 256>>>(reinterpret_cast<float4*>(in), out, n / 4);
  show("float4 into double", out, 32);

  int* numbers = to_device(random_ints(n, 0, 100000, 8));
  int2* best = device_array<int2>(16);
  arg_max<<<16, 256>>>(numbers, best, n);
  CHECK(cudaDeviceSynchronize());
  for (const int2& b : to_host(best, 16)) std::printf("%d at %d\n", b.x, b.y);
}
