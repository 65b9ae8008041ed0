// Prefix sum in one pass with decoupled look-back (Merrill and Garland, 2016): a block spins on the
// flags of those before it.
#include "field.cuh"

constexpr int kThreads = 128, kPerThread = 4, kTile = kThreads * kPerThread;

struct alignas(8) Status {
  int flag;  // 0: nothing yet, 1: the tile's sum, 2: the sum up to its end
  int value;
};

__device__ unsigned next_tile = 0;

__device__ void publish(Status* status, int flag, int value) {
  const unsigned long long word =
      static_cast<unsigned>(flag) | static_cast<unsigned long long>(static_cast<unsigned>(value))
                                        << 32;
  *reinterpret_cast<volatile unsigned long long*>(status) = word;
}

__global__ void scan(const int* in, int* out, Status* tiles, int n) {
  __shared__ unsigned tile;
  __shared__ int warp_sums[kThreads / 32], before;
  if (threadIdx.x == 0) tile = atomicAdd(&next_tile, 1);
  __syncthreads();
  const int first = tile * kTile + threadIdx.x * kPerThread;
  int v[kPerThread], sum = 0;
#pragma unroll
  for (int k = 0; k < kPerThread; ++k) {
    v[k] = first + k < n ? in[first + k] : 0;
    sum += v[k];
  }
  int inclusive = sum;
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  for (int d = 1; d < 32; d *= 2) {
    const int other = __shfl_up_sync(0xffffffff, inclusive, d);
    if (lane >= d) inclusive += other;
  }
  if (lane == 31) warp_sums[warp] = inclusive;
  __syncthreads();
  int up_to = inclusive - sum, total = 0;
  for (int w = 0; w < kThreads / 32; ++w) {
    if (w < warp) up_to += warp_sums[w];
    total += warp_sums[w];
  }
  if (threadIdx.x == 0) {
    publish(&tiles[tile], tile == 0 ? 2 : 1, total);
    int exclusive = 0;
    for (int back = static_cast<int>(tile) - 1; back >= 0;) {
      const unsigned long long word = *reinterpret_cast<volatile unsigned long long*>(&tiles[back]);
      const int flag = static_cast<int>(word & 0xffffffff), value = static_cast<int>(word >> 32);
      if (flag == 0) continue;
      exclusive += value;
      if (flag == 2) break;
      --back;
    }
    if (tile != 0) publish(&tiles[tile], 2, exclusive + total);
    before = exclusive;
  }
  __syncthreads();
  int running = before + up_to;
#pragma unroll
  for (int k = 0; k < kPerThread; ++k) {
    running += v[k];
    if (first + k < n) out[first + k] = running;
  }
}

int main() {
  const int n = 150001, tiles = (n + kTile - 1) / kTile;
  int* in = to_device(random_ints(n, -5, 6, 61));
  int* out = device_array<int>(n);
  Status* status = device_array<Status>(tiles);
  CHECK(cudaMemset(status, 0, tiles * sizeof(Status)));
  scan<<<tiles, kThreads>>>(in, out, status, n);
  show("look-back", out, n);
}
