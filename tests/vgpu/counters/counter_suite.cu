// Several hundred launches whose counters were recorded on a GPU: every width of access to global,
// shared and generic memory in the patterns of patterns.hpp, structs, atomics, local arrays. Each
// thread reads from a table where to access, so one kernel serves all patterns; the access itself
// is inline PTX, so that no compiler merges, widens or drops it.
//
//   counter_suite          the launches, in the order of their labels
//   counter_suite --list   the labels
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "../programs/program.cuh"
#include "patterns.hpp"

namespace {

constexpr int kWarps = 8, kBlocks = 2, kThreads = kWarps * kLanes / kBlocks;
constexpr int kArrayBytes = 32768;

// One access of 1 to 16 bytes. A space is "" for generic addresses.
#define DEFINE_SPACE(Name, space, Address, letter)                                           \
  struct Name {                                                                              \
    template <int kBytes>                                                                    \
    static __device__ uint32_t load(Address p) {                                             \
      uint32_t a = 0, b = 0, c = 0, d = 0;                                                   \
      if constexpr (kBytes == 1)                                                             \
        asm volatile("ld" space ".u8 %0, [%1];" : "=r"(a) : letter(p) : "memory");           \
      if constexpr (kBytes == 2)                                                             \
        asm volatile("ld" space ".u16 %0, [%1];" : "=r"(a) : letter(p) : "memory");          \
      if constexpr (kBytes == 4)                                                             \
        asm volatile("ld" space ".u32 %0, [%1];" : "=r"(a) : letter(p) : "memory");          \
      if constexpr (kBytes == 8)                                                             \
        asm volatile("ld" space ".v2.u32 {%0, %1}, [%2];"                                    \
                     : "=r"(a), "=r"(b)                                                      \
                     : letter(p)                                                             \
                     : "memory");                                                            \
      if constexpr (kBytes == 16)                                                            \
        asm volatile("ld" space ".v4.u32 {%0, %1, %2, %3}, [%4];"                            \
                     : "=r"(a), "=r"(b), "=r"(c), "=r"(d)                                    \
                     : letter(p)                                                             \
                     : "memory");                                                            \
      return a ^ b ^ c ^ d;                                                                  \
    }                                                                                        \
    template <int kBytes>                                                                    \
    static __device__ void store(Address p, uint32_t v) {                                    \
      if constexpr (kBytes == 1)                                                             \
        asm volatile("st" space ".u8 [%0], %1;" : : letter(p), "r"(v) : "memory");           \
      if constexpr (kBytes == 2)                                                             \
        asm volatile("st" space ".u16 [%0], %1;" : : letter(p), "r"(v) : "memory");          \
      if constexpr (kBytes == 4)                                                             \
        asm volatile("st" space ".u32 [%0], %1;" : : letter(p), "r"(v) : "memory");          \
      if constexpr (kBytes == 8)                                                             \
        asm volatile("st" space ".v2.u32 [%0], {%1, %1};" : : letter(p), "r"(v) : "memory"); \
      if constexpr (kBytes == 16)                                                            \
        asm volatile("st" space ".v4.u32 [%0], {%1, %1, %1, %1};"                            \
                     :                                                                       \
                     : letter(p), "r"(v)                                                     \
                     : "memory");                                                            \
    }                                                                                        \
  }
DEFINE_SPACE(Global, ".global", uint8_t*, "l");
DEFINE_SPACE(Shared, ".shared", uint32_t, "r");
DEFINE_SPACE(Generic, "", uint8_t*, "l");

__device__ int thread() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

/// The block's shared memory, written once so that nothing uninitialised is read.
__device__ uint8_t* filled_shared() {
  __shared__ uint32_t words[kArrayBytes / 4];
#pragma unroll 1
  for (int i = static_cast<int>(threadIdx.x); i < kArrayBytes / 4; i += kThreads) words[i] = 1;
  __syncthreads();
  return reinterpret_cast<uint8_t*>(words);
}

template <class Space, int kBytes>
__global__ void load(const int* offsets, uint8_t* memory, uint32_t* results) {
  const int offset = offsets[thread()];
  uint32_t value = 0;
  if (offset >= 0) value = Space::template load<kBytes>(memory + offset);
  results[thread()] = value;
}
template <class Space, int kBytes>
__global__ void store(const int* offsets, uint8_t* memory, uint32_t*) {
  const int offset = offsets[thread()];
  if (offset >= 0) Space::template store<kBytes>(memory + offset, 1);
}
template <int kBytes>
__global__ void load_shared(const int* offsets, uint8_t*, uint32_t* results) {
  const auto base = static_cast<uint32_t>(__cvta_generic_to_shared(filled_shared()));
  const int offset = offsets[thread()];
  uint32_t value = 0;
  if (offset >= 0) value = Shared::load<kBytes>(base + static_cast<uint32_t>(offset));
  results[thread()] = value;
}
template <int kBytes>
__global__ void store_shared(const int* offsets, uint8_t*, uint32_t*) {
  const auto base = static_cast<uint32_t>(__cvta_generic_to_shared(filled_shared()));
  const int offset = offsets[thread()];
  if (offset >= 0) Shared::store<kBytes>(base + static_cast<uint32_t>(offset), 1);
}
/// Odd lanes in global memory, even lanes in shared memory, by one instruction.
__global__ void load_both(const int* offsets, uint8_t* memory, uint32_t* results) {
  uint8_t* const shared = filled_shared();
  const int offset = offsets[thread()];
  uint32_t value = 0;
  if (offset >= 0) value = Generic::load<4>((thread() % 2 == 1 ? memory : shared) + offset);
  results[thread()] = value;
}

struct Vector12 {
  float x, y, z;
};
struct alignas(16) Vector32 {
  float4 low, high;
};
template <class T>
__global__ void copy(const int* offsets, uint8_t* memory, uint32_t*) {
  const int index = offsets[thread()];
  auto* const from = reinterpret_cast<const T*>(memory);
  auto* const to = reinterpret_cast<T*>(memory + kArrayBytes);
  if (index >= 0) to[index] = from[index];
}

template <class T, bool kReturns>
__global__ void atomic_add(const int* offsets, uint8_t* memory, uint32_t* results) {
  const int offset = offsets[thread()];
  T old = 0;
  if (offset >= 0) {
    T* const place = reinterpret_cast<T*>(memory + offset);
    if constexpr (kReturns) {
      old = atomicAdd(place, T{1});
    } else {
      atomicAdd(place, T{1});
    }
  }
  if constexpr (kReturns) results[thread()] = static_cast<uint32_t>(old);
}
__global__ void atomic_max(const int* offsets, uint8_t* memory, uint32_t*) {
  const int offset = offsets[thread()];
  if (offset >= 0) atomicMax(reinterpret_cast<int*>(memory + offset), thread());
}
__global__ void atomic_exchange(const int* offsets, uint8_t* memory, uint32_t* results) {
  const int offset = offsets[thread()];
  uint32_t old = 0;
  if (offset >= 0) old = atomicExch(reinterpret_cast<unsigned*>(memory + offset), 5u);
  results[thread()] = old;
}
__global__ void atomic_compare(const int* offsets, uint8_t* memory, uint32_t* results) {
  const int offset = offsets[thread()];
  uint32_t old = 0;
  if (offset >= 0) old = atomicCAS(reinterpret_cast<unsigned*>(memory + offset), 0u, 5u);
  results[thread()] = old;
}
template <bool kReturns>
__global__ void shared_atomic_add(const int* offsets, uint8_t*, uint32_t* results) {
  uint8_t* const shared = filled_shared();
  const int offset = offsets[thread()];
  unsigned old = 0;
  if (offset >= 0) {
    auto* const place = reinterpret_cast<unsigned*>(shared + offset);
    if constexpr (kReturns) {
      old = atomicAdd(place, 1u);
    } else {
      atomicAdd(place, 1u);
    }
  }
  __syncthreads();
  results[thread()] = kReturns ? old : shared[threadIdx.x];
}

/// A local array that each lane indexes where its table says.
template <class T>
__global__ void local_array(const int* offsets, uint8_t*, uint32_t* results) {
  T values[16];
#pragma unroll 1
  for (int i = 0; i < 16; ++i) values[i] = static_cast<T>(i + thread());
  const int offset = offsets[thread()];
  uint32_t sum = 0;
  if (offset >= 0) {
    const int first = offset / 4 % 16;
    values[first] = static_cast<T>(3);
#pragma unroll 1
    for (int i = 0; i < 5; ++i) sum += static_cast<uint32_t>(values[(first + 3 * i) % 16]);
  }
  results[thread()] = sum;
}

using Kernel = void (*)(const int*, uint8_t*, uint32_t*);
struct Access {
  const char* name;
  Kernel kernel;
  int element_bytes;
  std::vector<const char*> chosen = {};  ///< patterns; none: all of them
};

const std::vector<Access>& accesses() {
  static const std::vector<const char*> kFew = {
      "linear", "broadcast", "stride 2",     "stride 32",
      "pairs",  "odd lanes", "random of 32", "random of 64, random lanes",
      "random"};
#define WIDTHS(name, kernel)                                                          \
  {name " 1", kernel 1 >, 1}, {name " 2", kernel 2 >, 2}, {name " 4", kernel 4 >, 4}, \
      {name " 8", kernel 8 >, 8}, {                                                   \
    name " 16", kernel 16 >, 16                                                       \
  }
#define COMMA ,
  static const std::vector<Access> list = {
      WIDTHS("load global", load < Global COMMA),
      WIDTHS("store global", store < Global COMMA),
      WIDTHS("load shared", load_shared <),
      WIDTHS("store shared", store_shared <),
      {"load generic 4", load<Generic, 4>, 4, kFew},
      {"load generic 16", load<Generic, 16>, 16, kFew},
      {"store generic 4", store<Generic, 4>, 4, kFew},
      {"load global and shared", load_both, 4, kFew},
      {"copy 12-byte struct", copy<Vector12>, 1, kFew},
      {"copy 32-byte struct", copy<Vector32>, 1, kFew},
      {"atomicAdd int", atomic_add<int, false>, 4, kFew},
      {"atomicAdd int, result used", atomic_add<int, true>, 4, kFew},
      {"atomicAdd float", atomic_add<float, false>, 4, kFew},
      {"atomicAdd float, result used", atomic_add<float, true>, 4, kFew},
      {"atomicAdd 64 bits", atomic_add<unsigned long long, false>, 8, kFew},
      {"atomicAdd double, result used", atomic_add<double, true>, 8, kFew},
      {"atomicMax int", atomic_max, 4, kFew},
      {"atomicExch", atomic_exchange, 4, kFew},
      {"atomicCAS", atomic_compare, 4, kFew},
      {"shared atomicAdd int", shared_atomic_add<false>, 4, kFew},
      {"shared atomicAdd int, result used", shared_atomic_add<true>, 4, kFew},
      {"local int array", local_array<int>, 4, kFew},
      {"local byte array", local_array<uint8_t>, 4, kFew},
      {"local double array", local_array<double>, 4, kFew},
  };
  return list;
}

bool is_chosen(const Access& access, const Pattern& pattern) {
  return access.chosen.empty() ||
         std::any_of(access.chosen.begin(), access.chosen.end(),
                     [&](const char* name) { return std::strcmp(name, pattern.name) == 0; });
}

}  // namespace

int main(int argc, char** argv) {
  const bool only_list = argc == 2 && std::strcmp(argv[1], "--list") == 0;
  for (const Access& access : accesses()) {
    for (const Pattern& pattern : patterns()) {
      if (!is_chosen(access, pattern)) continue;
      if (only_list) {
        std::printf("%s: %s\n", access.name, pattern.name);
        continue;
      }
      // Elements of a byte are indices of structs: there are at least 1024.
      const int bytes = access.element_bytes;
      // One allocation, and `memory` where cudaMalloc would put a second one: in which quarter of
      // L1 a line lies depends on its address.
      std::vector<int> all = byte_offsets(pattern, kWarps, bytes, 1024 * bytes);
      const size_t count = all.size();
      all.resize(count + 3 * kArrayBytes / sizeof(int) + kWarps * kLanes);
      DeviceArray<int> arrays(all);
      auto* const memory = reinterpret_cast<uint8_t*>(arrays.data() + count);
      auto* const results = reinterpret_cast<uint32_t*>(memory + 3 * kArrayBytes);
      access.kernel<<<kBlocks, kThreads>>>(arrays.data(), memory, results);
      finish_kernels();
    }
  }
  return 0;
}
