// Cooperative groups inside a block: tiles of every size, cg::reduce and scans, coalesced groups,
// partitions by label.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>

#include "field.cuh"

namespace cg = cooperative_groups;

template <int Size>
__global__ void tile_sums(const int* in, int* out) {
  const cg::thread_block block = cg::this_thread_block();
  const auto tile = cg::tiled_partition<Size>(block);
  const int i = blockIdx.x * block.size() + block.thread_rank();
  int by_hand = in[i];
  for (int d = tile.size() / 2; d > 0; d /= 2) by_hand += tile.shfl_down(by_hand, d);
  by_hand = tile.shfl(by_hand, 0);
  const int most = cg::reduce(tile, in[i], cg::greater<int>());
  const int before = cg::exclusive_scan(tile, in[i], cg::plus<int>());
  out[i] = by_hand * 31 + most * 7 + before + static_cast<int>(tile.meta_group_rank()) * 3 +
           static_cast<int>(tile.ballot(in[i] > 0) & 0xff);
}

__device__ int aggregated_increment(int* counter) {
  const cg::coalesced_group active = cg::coalesced_threads();
  int first = 0;
  if (active.thread_rank() == 0) first = atomicAdd(counter, static_cast<int>(active.size()));
  return active.shfl(first, 0) + static_cast<int>(active.thread_rank());
}

__global__ void filter(const int* in, int* out, int* count, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && in[i] > 0) out[aggregated_increment(count)] = in[i];
}

__global__ void labels(const int* in, int* sums, int* sizes) {
  const auto tile = cg::tiled_partition<32>(cg::this_thread_block());
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const auto same = cg::labeled_partition(tile, in[i] & 3);
  sums[i] = cg::reduce(same, in[i], cg::plus<int>());
  const auto half = cg::binary_partition(tile, in[i] > 0);
  sizes[i] = static_cast<int>(half.size()) * 100 + static_cast<int>(half.thread_rank());
}

__global__ void block_wide(const int* in, int* out) {
  const cg::thread_block block = cg::this_thread_block();
  __shared__ int data[256];
  data[block.thread_rank()] = in[blockIdx.x * 256 + block.thread_rank()];
  cg::sync(block);
  const auto warp = cg::tiled_partition<32>(block);
  __shared__ int partial[8];
  const int sum = cg::reduce(warp, data[255 - block.thread_rank()], cg::plus<int>());
  if (warp.thread_rank() == 0) partial[warp.meta_group_rank()] = sum;
  block.sync();
  if (block.thread_rank() == 0) {
    int all = 0;
    for (int p : partial) all += p;
    out[block.group_index().x] =
        all + static_cast<int>(block.group_dim().x + block.thread_index().x);
  }
}

int main() {
  const int n = 2048;
  int* in = to_device(random_ints(n, -100, 100, 41));
  int* out = device_array<int>(n);
  int* sizes = device_array<int>(n);
  tile_sums<32><<<8, 256>>>(in, out);
  show("tiles of 32", out, n);
  tile_sums<16><<<8, 256>>>(in, out);
  show("tiles of 16", out, n);
  tile_sums<4><<<8, 256>>>(in, out);
  show("tiles of 4", out, n);
  tile_sums<1><<<8, 256>>>(in, out);
  show("tiles of 1", out, n);
  labels<<<8, 256>>>(in, out, sizes);
  show("sums by label", out, n);
  show("halves", sizes, n);
  block_wide<<<8, 256>>>(in, out);
  show("blocks", out, 8);
  int* count = to_device(std::vector<int>{0});
  filter<<<16, 128>>>(in, out, count, n);
  CHECK(cudaDeviceSynchronize());
  const int kept = to_host(count, 1)[0];
  long long sum = 0;
  for (const int v : to_host(out, kept)) sum += v;
  std::printf("kept %d, sum %lld\n", kept, sum);
}
