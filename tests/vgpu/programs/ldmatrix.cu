// ldmatrix: one, two and four matrices, as they are and transposed, from rows without and with bank
// conflicts, in padded and in swizzled tiles.
#include <cstdint>

#include "program.cuh"

constexpr int kRowHalves = 8;

template <int kMatrices, bool kTransposed>
__device__ void load(uint32_t (&d)[4], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (kMatrices == 1 && !kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
                 : "=r"(d[0])
                 : "r"(address));
  } else if constexpr (kMatrices == 1) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
                 : "=r"(d[0])
                 : "r"(address));
  } else if constexpr (kMatrices == 2 && !kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(d[0]), "=r"(d[1])
                 : "r"(address));
  } else if constexpr (kMatrices == 2) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(d[0]), "=r"(d[1])
                 : "r"(address));
  } else if constexpr (!kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(address));
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(address));
  }
}

// Lane t names the row that starts at the t-th entry of `starts` (in halves).
template <int kMatrices, bool kTransposed>
__global__ void fetch(const int* starts, uint32_t* out) {
  __shared__ alignas(16) uint16_t tile[4096];
  const int t = threadIdx.x;
  for (int i = t; i < 4096; i += 32) tile[i] = static_cast<uint16_t>(i);
  __syncthreads();  // the tile is complete
  uint32_t d[4] = {};
  load<kMatrices, kTransposed>(d, tile + starts[t]);
  for (int m = 0; m < kMatrices; ++m) out[m * 32 + t] = d[m];
}

template <int kMatrices, bool kTransposed>
void check(const char* what, const std::vector<int>& starts) {
  std::vector<uint32_t> want(kMatrices * 32);
  for (int m = 0; m < kMatrices; ++m) {
    for (int t = 0; t < 32; ++t) {
      for (int half = 0; half < 2; ++half) {
        const int r = t / 4, c = 2 * (t % 4) + half;
        const int row = kTransposed ? c : r, column = kTransposed ? r : c;
        const uint32_t value = static_cast<uint32_t>(starts[m * 8 + row] + column);
        want[m * 32 + t] |= value << (16 * half);
      }
    }
  }
  DeviceArray<int> dstarts(starts);
  DeviceArray<uint32_t> out(want.size());
  fetch<kMatrices, kTransposed><<<1, 32>>>(dstarts.data(), out.data());
  finish_kernels();
  expect(what, out.host(), want);
}

template <int kMatrices>
void check_both(const char* what, const std::vector<int>& starts) {
  check<kMatrices, false>(what, starts);
  check<kMatrices, true>(what, starts);
}

/// Row starts of a tile whose rows are `stride` halves apart: lane t names row t % 16, and the
/// second eight columns from lane 16 on.
std::vector<int> tile_rows(int stride) {
  std::vector<int> starts(32);
  for (int t = 0; t < 32; ++t) starts[t] = t % 16 * stride + t / 16 * kRowHalves;
  return starts;
}

int main() {
  for (const int stride : {8, 16, 24, 32, 40, 64, 72, 128}) {
    check_both<1>("one matrix", tile_rows(stride));
    check_both<2>("two matrices", tile_rows(stride));
    check_both<4>("four matrices", tile_rows(stride));
  }
  std::vector<int> swizzled(32), same(32, 64), shuffled(32);
  for (int t = 0; t < 32; ++t) {
    swizzled[t] = t % 16 * 64 + (t / 16 ^ (t % 8)) * kRowHalves;
    shuffled[t] = (t * 29 + t * t * 3) % 512 * kRowHalves;
  }
  check_both<4>("swizzled", swizzled);
  check_both<4>("one row", same);
  check_both<4>("shuffled", shuffled);
  check_both<1>("shuffled", shuffled);
  return verdict();
}
