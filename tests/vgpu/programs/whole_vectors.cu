// Vectors of 8 and 16 bytes, written and read by strong accesses of different blocks: a reader sees
// a vector as some writer wrote it, never one half of each, as with a status and a value in CUB's
// look-back.
#include "program.cuh"

namespace {

constexpr int kRounds = 20000, kBlocks = 4, kThreads = 32;

struct Pair {
  unsigned long long a, b;
};
struct Half {
  unsigned a, b;
};

__device__ void write(Pair* at, Pair v) {
  asm volatile("st.relaxed.gpu.global.v2.u64 [%0], {%1, %2};" ::"l"(at), "l"(v.a), "l"(v.b)
               : "memory");
}
__device__ void write(Half* at, Half v) {
  asm volatile("st.relaxed.gpu.v2.u32 [%0], {%1, %2};" ::"l"(at), "r"(v.a), "r"(v.b) : "memory");
}
__device__ Pair read(const Pair* at) {
  Pair v;
  asm volatile("ld.relaxed.gpu.v2.u64 {%0, %1}, [%2];" : "=l"(v.a), "=l"(v.b) : "l"(at) : "memory");
  return v;
}
__device__ Half read(const Half* at) {
  Half v;
  asm volatile("ld.acquire.gpu.global.v2.u32 {%0, %1}, [%2];"
               : "=r"(v.a), "=r"(v.b)
               : "l"(at)
               : "memory");
  return v;
}

// Even blocks write pairs of a number and its double, odd blocks count pairs that are none.
template <class T>
__global__ void exchange(T* cells, unsigned* torn) {
  T* const cell = cells + threadIdx.x;
  for (unsigned round = 0; round < kRounds; ++round) {
    if (blockIdx.x % 2 == 0) {
      const unsigned number = blockIdx.x * kRounds + round;
      write(cell, T{number, 2 * number});
    } else {
      const T seen = read(cell);
      if (seen.b != 2 * seen.a) atomicAdd(torn, 1u);
    }
  }
}

template <class T>
void check(const char* what) {
  DeviceArray<T> cells{std::vector<T>(kThreads)};
  DeviceArray<unsigned> torn(std::vector<unsigned>{0});
  exchange<<<kBlocks, kThreads>>>(cells.data(), torn.data());
  finish_kernels();
  expect(what, torn.host(), {0u});
}

}  // namespace

int main() {
  check<Pair>("16 bytes");
  check<Half>("8 bytes");
  return verdict();
}
