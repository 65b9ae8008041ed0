// Atomics in every type: sums whose order does not matter because they are exact, extremes, bits,
// exchange, compare and swap.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "field.cuh"

__device__ float atomic_max_float(float* address, float value) {
  return value >= 0 ? __int_as_float(atomicMax((int*)address, __float_as_int(value)))
                    : __uint_as_float(atomicMin((unsigned*)address, __float_as_uint(value)));
}

__device__ double atomic_multiply(double* address, double value) {
  auto* bits = reinterpret_cast<unsigned long long*>(address);
  unsigned long long old = *bits, assumed;
  do {
    assumed = old;
    old = atomicCAS(bits, assumed, __double_as_longlong(value * __longlong_as_double(assumed)));
  } while (assumed != old);
  return __longlong_as_double(old);
}

struct Totals {
  int sum_int, max_int, min_int, and_int, or_int, xor_int;
  unsigned wrapped, counted_down;
  unsigned long long sum_long, max_long;
  float sum_float, max_float;
  double sum_double, product;
  __half2 sum_half2;
  __nv_bfloat162 sum_bfloat2;
  unsigned short cas16;
};

__global__ void accumulate(const int* in, int n, Totals* t) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    const int v = in[i];
    atomicAdd(&t->sum_int, v);
    atomicMax(&t->max_int, v);
    atomicMin(&t->min_int, v);
    atomicAnd(&t->and_int, v | 0xff);
    atomicOr(&t->or_int, v);
    atomicXor(&t->xor_int, v);
    atomicInc(&t->wrapped, 99);
    atomicDec(&t->counted_down, 77);
    atomicAdd(&t->sum_long, static_cast<unsigned long long>(v) * 1000003ull);
    atomicMax(&t->max_long, static_cast<unsigned long long>(v) << 33);
    atomicAdd(&t->sum_float, static_cast<float>(v % 16));
    atomic_max_float(&t->max_float, static_cast<float>(v) - 3000.5f);
    atomicAdd(&t->sum_double, static_cast<double>(v) * 0.25);
    if (i % 512 == 0) atomic_multiply(&t->product, i % 1024 == 0 ? 2.0 : 0.5);
    if (i % 16 == 0) atomicAdd(&t->sum_half2, __floats2half2_rn(1.0f, static_cast<float>(i % 2)));
    if (i % 64 == 0) atomicAdd(&t->sum_bfloat2, __floats2bfloat162_rn(1.0f, 0.0f));
    if (i % 128 == 0) {
      unsigned short seen = t->cas16, assumed;
      do {
        assumed = seen;
        seen = atomicCAS(&t->cas16, assumed, static_cast<unsigned short>(assumed + 3));
      } while (seen != assumed);
    }
  }
}

__global__ void tickets(int* order, int* next) {
  order[atomicAdd(next, 1)] = blockIdx.x * blockDim.x + threadIdx.x;
}

int main() {
  const int n = 8192;
  int* in = to_device(random_ints(n, 1, 5000, 31));
  Totals start{};
  start.min_int = 1 << 30;
  start.and_int = -1;
  start.max_float = -1e30f;
  start.product = 1.0;
  Totals* totals = to_device(std::vector<Totals>{start});
  accumulate<<<20, 96>>>(in, n, totals);
  CHECK(cudaDeviceSynchronize());
  const Totals t = to_host(totals, 1)[0];
  std::printf("%d %d %d %x %x %x %u %u\n", t.sum_int, t.max_int, t.min_int, t.and_int, t.or_int,
              t.xor_int, t.wrapped, t.counted_down);
  std::printf("%llu %llu %.9g %.9g %.17g %g\n", t.sum_long, t.max_long, t.sum_float, t.max_float,
              t.sum_double, t.product);
  std::printf("%g %g %g %u\n", __low2float(t.sum_half2), __high2float(t.sum_half2),
              __low2float(t.sum_bfloat2), t.cas16);

  // Every ticket is drawn once, whoever gets it.
  int* order = device_array<int>(640);
  int* next = to_device(std::vector<int>{0});
  tickets<<<5, 128>>>(order, next);
  std::vector<int> drawn(640);
  for (const int id : to_host(order, 640)) ++drawn[id];
  show("tickets", drawn);
}
