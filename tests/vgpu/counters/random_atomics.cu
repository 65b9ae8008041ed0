// Atomic updates of 32 lanes at random places: which lanes the hardware serves together decides how
// many sectors they are (grader/vgpu/README.md, "Counts"). Five instructions, six patterns, 60
// draws; handouts/data/atomics_h200.json holds what an H200 counted. With --list, the launches'
// labels.
#include <cstdio>
#include <cstring>

#include <cuda_runtime.h>

#include "draws.cuh"

constexpr unsigned kDraws = 60, kBytes = 2u << 20;

/// Where the lanes' elements lie: anywhere in the first `range`, or at the 8 multiples of 16 bytes
/// in each of `lines` lines of the whole buffer.
struct Pattern {
  const char* name;
  unsigned range, lines;
  bool masked;  // about half of the lanes take part
};

__device__ unsigned place(const Pattern& pattern, unsigned seed, unsigned size) {
  const unsigned lane = threadIdx.x, drawn = draw(seed, lane);
  if (pattern.lines == 0) return drawn % pattern.range;
  const unsigned line = draw(seed + 2000, drawn % pattern.lines) % (kBytes / 128);
  return (line * 8 + draw(seed + 3000, lane) % 8) * (16 / size);
}

template <class Update>
__global__ void update(char* buffer, Pattern pattern, unsigned seed) {
  using T = typename Update::Type;
  if (pattern.masked && draw(seed + 1000, threadIdx.x) % 2 == 0) return;
  Update::at(reinterpret_cast<T*>(buffer) + place(pattern, seed, sizeof(T)));
}

template <class T>
struct Red {
  using Type = T;
  static __device__ void at(T* place) { atomicAdd(place, T{1}); }
};
template <class T>
struct Atom {
  using Type = T;
  static __device__ void at(T* place) {
    if (atomicAdd(place, T{1}) == T(-1)) __trap();  // the result is needed, hence no red
  }
};
template <class T>
struct Cas {
  using Type = T;
  static __device__ void at(T* place) { atomicCAS(place, T{0}, T{5}); }
};

template <class Update>
void launch(const char* name, char* buffer, const Pattern& pattern) {
  for (unsigned seed = 0; seed < kDraws; ++seed) {
    if (buffer == nullptr)
      std::printf("%s: %s\n", name, pattern.name);
    else
      update<Update><<<1, 32>>>(buffer, pattern, seed);
  }
}

int main(int argc, char** argv) {
  char* buffer = nullptr;
  if (argc < 2 || std::strcmp(argv[1], "--list") != 0) {
    cudaMalloc(&buffer, kBytes);
    cudaMemset(buffer, 0, kBytes);
  }
  for (const Pattern pattern :
       {Pattern{"16", 16, 0, false}, Pattern{"64", 64, 0, false}, Pattern{"256", 256, 0, false},
        Pattern{"1024", 1024, 0, false}, Pattern{"256, masked", 256, 0, true},
        Pattern{"6 lines", 0, 6, false}}) {
    launch<Red<unsigned>>("red", buffer, pattern);
    launch<Atom<unsigned>>("atom", buffer, pattern);
    launch<Cas<unsigned>>("cas", buffer, pattern);
    launch<Red<unsigned long long>>("red 64", buffer, pattern);
    launch<Cas<unsigned long long>>("cas 64", buffer, pattern);
  }
  if (buffer == nullptr) return 0;
  const cudaError_t status = cudaDeviceSynchronize();
  cudaFree(buffer);
  std::puts(cudaGetErrorString(status));
  return status == cudaSuccess ? 0 : 1;
}
