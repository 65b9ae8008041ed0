// cp.async through L1 from and to random places: which lanes the hardware serves together decides
// how many conflicts they have (grader/vgpu/README.md, "Counts"). Three sizes, seven patterns, 40
// draws; handouts/data/copies_h200.json holds what an H200 counted. With --list, the launches'
// labels.
#include <cstdio>
#include <cstring>

#include <cuda_runtime.h>

#include "draws.cuh"

constexpr unsigned kDraws = 40, kBufferBytes = 2u << 20, kMaxSpread = 8;

/// Sources are pieces of `lines` lines anywhere in the buffer, destinations one of `spread` pieces
/// of each lane's own.
struct Pattern {
  const char* name;
  unsigned lines, spread;
  bool masked, filled;  // half of the lanes take part; a third reads nothing, a third one byte
};

template <unsigned kBytes>
__global__ void copy(const char* buffer, Pattern pattern, unsigned seed) {
  __shared__ alignas(128) char tile[32 * kMaxSpread * kBytes];
  const unsigned lane = threadIdx.x, drawn = draw(seed, lane);
  if (pattern.masked && draw(seed + 1000, lane) % 2 == 0) return;
  const unsigned line = draw(seed + 2000, drawn % pattern.lines) % (kBufferBytes / 128);
  const unsigned piece = draw(seed + 3000, lane) % (128 / kBytes);
  const unsigned place = lane * pattern.spread + draw(seed + 4000, lane) % pattern.spread;
  const unsigned third = draw(seed + 5000, lane) % 3;
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(tile + place * kBytes));
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to),
               "l"(buffer + line * 128 + piece * kBytes), "n"(kBytes),
               "r"(pattern.filled && third < 2 ? third : kBytes)
               : "memory");
  asm volatile("cp.async.wait_all;" ::: "memory");
}

template <unsigned kBytes>
void launch(const char* buffer, const Pattern& pattern) {
  for (unsigned seed = 0; seed < kDraws; ++seed) {
    if (buffer == nullptr)
      std::printf("%u bytes: %s\n", kBytes, pattern.name);
    else
      copy<kBytes><<<1, 32>>>(buffer, pattern, seed);
  }
}

int main(int argc, char** argv) {
  char* buffer = nullptr;
  if (argc < 2 || std::strcmp(argv[1], "--list") != 0) {
    cudaMalloc(&buffer, kBufferBytes);
    cudaMemset(buffer, 0, kBufferBytes);
  }
  for (const Pattern pattern : {Pattern{"1 line", 1, 1, false, false},
                                {"4 lines", 4, 1, false, false},
                                {"16 lines", 16, 1, false, false},
                                {"1 line, scattered", 1, kMaxSpread, false, false},
                                {"6 lines, scattered", 6, kMaxSpread, false, false},
                                {"3 lines, close, masked", 3, 2, true, false},
                                {"3 lines, close, filled", 3, 2, false, true}}) {
    launch<4>(buffer, pattern);
    launch<8>(buffer, pattern);
    launch<16>(buffer, pattern);
  }
  if (buffer == nullptr) return 0;
  const cudaError_t status = cudaDeviceSynchronize();
  cudaFree(buffer);
  std::puts(cudaGetErrorString(status));
  return status == cudaSuccess ? 0 : 1;
}
