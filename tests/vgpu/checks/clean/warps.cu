// Correct code at the level of warps: shuffles, votes, masks, partial warps, cooperative groups. No
// check may report anything about it.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>

#include "../cases.cuh"

namespace cg = cooperative_groups;

__global__ void butterfly_reduction(const int* in, int* out) {
  int sum = in[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  out[threadIdx.x] = sum;
}

// Upper lanes add what lies beyond the warp, their own value again, but only lane 0 is used.
__global__ void upper_lanes_thrown_away(const int* in, int* out) {
  int sum = in[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(~0u, sum, step);
  if (threadIdx.x % 32 == 0) out[threadIdx.x / 32] = sum;
}

// The mask names the lanes of the last warp that exist, and only values from them are used.
__global__ void partial_warp_with_ballot(const int* in, int* out, int n) {
  const bool active = threadIdx.x < n;
  const unsigned mask = __ballot_sync(~0u, active);
  if (!active) return;
  const int lane = threadIdx.x % 32;
  int sum = in[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) {
    const int other = __shfl_down_sync(mask, sum, step);
    if (lane + step < 32 && (mask >> (lane + step) & 1)) sum += other;
  }
  if (lane == 0) out[threadIdx.x / 32] = sum;
}

// A block of 48 threads: the mask of the second warp has 16 lanes.
__global__ void block_of_one_and_a_half_warps(const int* in, int* out) {
  const unsigned mask = threadIdx.x < 32 ? ~0u : 0xffffu;
  int best = in[threadIdx.x];
  for (int step = 8; step > 0; step /= 2) best = max(best, __shfl_xor_sync(mask, best, step));
  out[threadIdx.x] = best;
}

// A shuffle from a lane outside the mask gives anything; the program only looks where it may.
__global__ void unused_result_of_absent_lane(const int* in, int* out) {
  const int lane = threadIdx.x;
  if (lane >= 20) return;
  const int other = __shfl_down_sync(0xfffffu, in[lane], 4);
  out[lane] = lane + 4 < 20 ? other : -1;
}

// The mask names lanes that have exited, which is allowed as long as nobody needs their values.
__global__ void broadcast_after_return(const int* in, int* out, int n) {
  if (threadIdx.x >= n) return;
  out[threadIdx.x] = __shfl_sync(~0u, in[threadIdx.x], 0);
}

// The halves of a warp take different branches and name only themselves.
__global__ void halves_in_different_branches(const int* in, int* out) {
  int v = in[threadIdx.x];
  if (threadIdx.x < 16) {
    v += __shfl_xor_sync(0x0000ffffu, v, 8);
  } else {
    v -= __shfl_xor_sync(0xffff0000u, v, 1);
    __syncwarp(0xffff0000u);
    v += __shfl_sync(0xffff0000u, v, 31);
  }
  out[threadIdx.x] = v;
}

__global__ void segments_of_eight(const int* in, int* out) {
  int v = in[threadIdx.x];
  for (int step = 1; step < 8; step *= 2) {
    const int other = __shfl_up_sync(~0u, v, step, 8);
    if (threadIdx.x % 8 >= step) v += other;
  }
  out[threadIdx.x] = v + __shfl_sync(~0u, v, 7, 8);
}

// Lanes meet at __syncwarp() in different branches of the program.
__global__ void syncwarp_in_both_branches(int* out) {
  __shared__ int tile[32];
  const int lane = threadIdx.x;
  if (lane < 16) {
    tile[lane] = lane;
    __syncwarp();
    out[lane] = tile[31 - lane];
  } else {
    tile[lane] = 100 + lane;
    __syncwarp();
    out[lane] = tile[31 - lane] + 1;
  }
}

__global__ void tile_of_half_a_warp(int* out) {
  __shared__ int tile[32];
  if (threadIdx.x < 16) {
    tile[threadIdx.x] = threadIdx.x;
    __syncwarp(0xffffu);
    out[threadIdx.x] = tile[15 - threadIdx.x];
  }
}

// A shuffle carries the value, so no memory has to be synchronised.
__global__ void scan_by_shuffles(const int* in, int* out) {
  __shared__ int sums[4];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int v = in[threadIdx.x];
  for (int step = 1; step < 32; step *= 2) {
    const int other = __shfl_up_sync(~0u, v, step);
    if (lane >= step) v += other;
  }
  if (lane == 31) sums[warp] = v;
  __syncthreads();
  for (int w = 0; w < warp; ++w) v += sums[w];
  out[threadIdx.x] = v;
}

// Lanes with one key elect a leader, who adds for all of them.
__global__ void aggregated_by_key(const int* keys, int* counts) {
  const int key = keys[threadIdx.x];
  const unsigned same = __match_any_sync(~0u, key);
  if (threadIdx.x % 32 == __ffs(same) - 1) atomicAdd(&counts[key], __popc(same));
}

__global__ void votes(const int* in, int* out) {
  const bool even = in[threadIdx.x] % 2 == 0;
  out[threadIdx.x] = __all_sync(~0u, even) + 2 * __any_sync(~0u, even) +
                     4 * static_cast<int>(__popc(__ballot_sync(~0u, even)));
}

// Lanes that found something pack it to the left.
__global__ void compacted_by_active_lanes(const int* in, int* out, int* count) {
  if (in[threadIdx.x] > 6) {
    const cg::coalesced_group together = cg::coalesced_threads();
    int base = 0;
    if (together.thread_rank() == 0) base = atomicAdd(count, together.size());
    base = together.shfl(base, 0);
    out[base + together.thread_rank()] = in[threadIdx.x];
  }
}

__global__ void reduction_in_tiles(const int* in, int* out) {
  const auto block = cg::this_thread_block();
  const auto tile = cg::tiled_partition<8>(block);
  int sum = in[threadIdx.x];
  for (int step = tile.size() / 2; step > 0; step /= 2) sum += tile.shfl_down(sum, step);
  if (tile.thread_rank() == 0) out[threadIdx.x / 8] = sum;
}

__global__ void library_reduce_and_scan(const int* in, int* out) {
  const auto tile = cg::tiled_partition<32>(cg::this_thread_block());
  const int sum = cg::reduce(tile, in[threadIdx.x], cg::plus<int>());
  out[threadIdx.x] = sum * 1000 + cg::inclusive_scan(tile, in[threadIdx.x]);
}

// Tiles of 16 threads own a row of shared memory each, and synchronise on their own.
__global__ void tiles_own_rows(int* out) {
  __shared__ int rows[8][16];
  const auto tile = cg::tiled_partition<16>(cg::this_thread_block());
  int* const mine = rows[tile.meta_group_rank()];
  const int rank = tile.thread_rank();
  for (int round = 0; round < 3; ++round) {
    mine[rank] = round + rank;
    tile.sync();
    out[round * 128 + threadIdx.x] = mine[15 - rank];
    tile.sync();
  }
}

constexpr Case kCases[] = {
    {"butterfly_reduction",
     [] { butterfly_reduction<<<1, 128>>>(input<int>(128), output<int>(128)); }},
    {"upper_lanes_thrown_away",
     [] { upper_lanes_thrown_away<<<1, 128>>>(input<int>(128), output<int>(4)); }},
    {"partial_warp_with_ballot",
     [] { partial_warp_with_ballot<<<1, 64>>>(input<int>(50), output<int>(2), 50); }},
    {"block_of_one_and_a_half_warps",
     [] { block_of_one_and_a_half_warps<<<1, 48>>>(input<int>(48), output<int>(48)); }},
    {"unused_result_of_absent_lane",
     [] { unused_result_of_absent_lane<<<1, 32>>>(input<int>(32), output<int>(32)); }},
    {"broadcast_after_return",
     [] { broadcast_after_return<<<1, 64>>>(input<int>(50), output<int>(50), 50); }},
    {"halves_in_different_branches",
     [] { halves_in_different_branches<<<1, 32>>>(input<int>(32), output<int>(32)); }},
    {"segments_of_eight", [] { segments_of_eight<<<1, 64>>>(input<int>(64), output<int>(64)); }},
    {"syncwarp_in_both_branches", [] { syncwarp_in_both_branches<<<1, 32>>>(output<int>(32)); }},
    {"tile_of_half_a_warp", [] { tile_of_half_a_warp<<<1, 32>>>(output<int>(32)); }},
    {"scan_by_shuffles", [] { scan_by_shuffles<<<1, 128>>>(input<int>(128), output<int>(128)); }},
    {"aggregated_by_key", [] { aggregated_by_key<<<1, 128>>>(input<int>(128), output<int>(13)); }},
    {"votes", [] { votes<<<1, 64>>>(input<int>(64), output<int>(64)); }},
    {"compacted_by_active_lanes",
     [] { compacted_by_active_lanes<<<1, 32>>>(input<int>(32), output<int>(32), output<int>(1)); }},
    {"reduction_in_tiles", [] { reduction_in_tiles<<<1, 64>>>(input<int>(64), output<int>(8)); }},
    {"library_reduce_and_scan",
     [] { library_reduce_and_scan<<<1, 64>>>(input<int>(64), output<int>(64)); }},
    {"tiles_own_rows", [] { tiles_own_rows<<<1, 128>>>(output<int>(384)); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
