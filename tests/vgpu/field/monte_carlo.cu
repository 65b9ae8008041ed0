// Monte Carlo with generators of its own: pi with Philox 4x32-10, an integral with xorshift kept in
// global memory, a random walk with LCG skips.

// nvcc: -fmad=false

#include "field.cuh"

__device__ uint4 philox(uint4 c, uint2 key) {
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const unsigned hi0 = __umulhi(0xD2511F53u, c.x), lo0 = 0xD2511F53u * c.x;
    const unsigned hi1 = __umulhi(0xCD9E8D57u, c.z), lo1 = 0xCD9E8D57u * c.z;
    c = {hi1 ^ c.y ^ key.x, lo1, hi0 ^ c.w ^ key.y, lo0};
    key.x += 0x9E3779B9u;
    key.y += 0xBB67AE85u;
  }
  return c;
}

__device__ float uniform(unsigned x) {
  return static_cast<float>(x >> 8) * 0x1p-24f;
}

__global__ void count_inside(unsigned long long* inside, int per_thread) {
  const unsigned id = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned hits = 0;
  for (int k = 0; k < per_thread; ++k) {
    const uint4 r = philox({static_cast<unsigned>(k), id, 0, 0}, {1234u, 5678u});
    const float x = uniform(r.x), y = uniform(r.y), u = uniform(r.z), v = uniform(r.w);
    hits += (x * x + y * y < 1.0f) + (u * u + v * v < 1.0f);
  }
  hits = __reduce_add_sync(0xffffffff, hits);
  if (threadIdx.x % 32 == 0) atomicAdd(inside, static_cast<unsigned long long>(hits));
}

__global__ void seed(ulonglong2* state) {
  const unsigned long long id = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned long long z = id + 0x9E3779B97F4A7C15ull;
  const auto mix = [&] {
    z += 0x9E3779B97F4A7C15ull;
    unsigned long long x = z;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
  };
  state[id].x = mix();
  state[id].y = mix();
}

__global__ void integrate(ulonglong2* state, double* sums, int per_thread) {
  const int id = blockIdx.x * blockDim.x + threadIdx.x;
  ulonglong2 s = state[id];
  double sum = 0;
  for (int k = 0; k < per_thread; ++k) {  // xoroshiro128+
    const unsigned long long result = s.x + s.y, t = s.x ^ s.y;
    s.x = (s.x << 24 | s.x >> 40) ^ t ^ (t << 16);
    s.y = t << 37 | t >> 27;
    const double x = static_cast<double>(result >> 11) * 0x1p-53;
    sum += sqrt(1.0 - x * x) / (1.0 + x);
  }
  state[id] = s;
  sums[id] = sum;
}

__global__ void walk(int2* ends, int steps) {
  unsigned seed = 12345u + 7919u * (blockIdx.x * blockDim.x + threadIdx.x);
  int2 p = {};
  for (int k = 0; k < steps; ++k) {
    seed = seed * 1664525u + 1013904223u;
    switch (seed >> 30) {
      case 0:
        ++p.x;
        break;
      case 1:
        --p.x;
        break;
      case 2:
        ++p.y;
        break;
      default:
        --p.y;
    }
  }
  ends[blockIdx.x * blockDim.x + threadIdx.x] = p;
}

int main() {
  const int threads = 2048, per_thread = 200;
  unsigned long long* inside = to_device(std::vector<unsigned long long>{0});
  count_inside<<<threads / 256, 256>>>(inside, per_thread);
  CHECK(cudaDeviceSynchronize());
  const unsigned long long hits = to_host(inside, 1)[0];
  std::printf("%llu of %d inside: pi is about %.6f\n", hits, 2 * threads * per_thread,
              4.0 * static_cast<double>(hits) / (2.0 * threads * per_thread));
  ulonglong2* state = device_array<ulonglong2>(threads);
  double* sums = device_array<double>(threads);
  seed<<<threads / 128, 128>>>(state);
  integrate<<<threads / 128, 128>>>(state, sums, per_thread);
  integrate<<<threads / 128, 128>>>(state, sums, per_thread);
  show("integral", sums, threads);
  int2* ends = device_array<int2>(threads);
  walk<<<threads / 64, 64>>>(ends, 300);
  show("walks", reinterpret_cast<int*>(ends), 2 * threads);
}
