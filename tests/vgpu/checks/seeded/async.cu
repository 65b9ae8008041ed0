// Mistakes with cp.async: data touched before its wait, and barriers that a wait does not replace.
// `// BUG name: kind` stands on the line to report. Tiles are 64 vectors, one for each thread.
#include "../async_copy.cuh"
#include "../cases.cuh"

__global__ void no_wait(const float4* in, float4* out) {
  __shared__ float4 tile[64];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG no_wait: async
}

// Only groups that were committed are waited for.
__global__ void no_commit(const float4* in, float4* out) {
  __shared__ float4 tile[64];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  wait_group<0>();
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG no_commit: async
}

// One group may stay pending while another was prefetched; in the last round none was.
__global__ void last_tile_not_waited_for(const float4* in, float4* out, int tiles) {
  __shared__ float4 tile[2][64];
  float4 sum = {};
  copy_async(&tile[0][threadIdx.x], &in[threadIdx.x]);
  commit_group();
  for (int i = 0; i < tiles; ++i) {
    if (i + 1 < tiles) {
      copy_async(&tile[(i + 1) % 2][threadIdx.x], &in[(i + 1) * 64 + threadIdx.x]);
      commit_group();
    }
    wait_group<1>();
    __syncthreads();
    const float4 v = tile[i % 2][63 - threadIdx.x];  // BUG last_tile_not_waited_for: async
    sum.x += v.x;
    sum.y += v.y;
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

// A thread waits for its own copies only: one warp cannot wait for another.
__global__ void one_warp_waits(const float4* in, float4* out) {
  __shared__ float4 tile[64];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  if (threadIdx.x < 32) wait_group<0>();
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG one_warp_waits: async
}

// Two groups, of K and of V, and the wait for the first is used for both.
__global__ void values_used_with_keys(const float4* in, float4* out) {
  __shared__ float4 keys[64], values[64];
  copy_async(&keys[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  copy_async(&values[threadIdx.x], &in[64 + threadIdx.x]);
  commit_group();
  wait_group<1>();
  __syncthreads();
  float4 v = keys[63 - threadIdx.x];
  v.x *= values[63 - threadIdx.x].x;  // BUG values_used_with_keys: async
  out[threadIdx.x] = v;
}

// A fourth stage is in flight, but three are waited for as if there were only three.
__global__ void pending_count_too_large(const float4* in, float4* out) {
  __shared__ float4 tile[3][64];
  for (int stage = 0; stage < 3; ++stage) {
    copy_async(&tile[stage][threadIdx.x], &in[stage * 64 + threadIdx.x]);
    commit_group();
  }
  wait_group<3>();
  __syncthreads();
  out[threadIdx.x] = tile[0][threadIdx.x];  // BUG pending_count_too_large: async
}

// The tail is set to zero by a plain store while the copy to the same place is on its way.
__global__ void zeroed_while_copied(const float4* in, float4* out, int rows) {
  __shared__ float4 tile[64];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  if (threadIdx.x >= rows) tile[threadIdx.x] = {};  // BUG zeroed_while_copied: async
  wait_group<0>();
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void no_barrier_after_the_wait(const float4* in, float4* out) {
  __shared__ float4 tile[64];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  wait_group<0>();
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG no_barrier_after_the_wait: race
}

// The next tile is requested while slower warps still read the buffer.
__global__ void buffer_requested_too_early(const float4* in, float4* out) {
  __shared__ float4 tile[64];
  float sum = 0;
  for (int i = 0; i < 3; ++i) {
    copy_async(&tile[threadIdx.x], &in[i * 64 + threadIdx.x]);
    commit_group();
    wait_group<0>();
    __syncthreads();
    sum += tile[63 - threadIdx.x].x;  // BUG buffer_requested_too_early: race
  }
  out[threadIdx.x] = {sum, 0, 0, 0};
}

__global__ void copied_past_the_end(const float4* in, float4* out) {
  __shared__ float4 tile[64];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);  // BUG copied_past_the_end: bounds
  commit_group();
  wait_group<0>();
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

// A row of 30 floats does not start at a multiple of 16 bytes.
__global__ void copied_from_odd_rows(const float* in, float4* out) {
  __shared__ float4 tile[64];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x * 30]);  // BUG copied_from_odd_rows: misaligned
  commit_group();
  wait_group<0>();
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

constexpr Case kCases[] = {
    {"no_wait", [] { no_wait<<<1, 64>>>(input<float4>(64), output<float4>(64)); }},
    {"no_commit", [] { no_commit<<<1, 64>>>(input<float4>(64), output<float4>(64)); }},
    {"last_tile_not_waited_for",
     [] { last_tile_not_waited_for<<<1, 64>>>(input<float4>(192), output<float4>(64), 3); }},
    {"one_warp_waits", [] { one_warp_waits<<<1, 64>>>(input<float4>(64), output<float4>(64)); }},
    {"values_used_with_keys",
     [] { values_used_with_keys<<<1, 64>>>(input<float4>(128), output<float4>(64)); }},
    {"pending_count_too_large",
     [] { pending_count_too_large<<<1, 64>>>(input<float4>(192), output<float4>(64)); }},
    {"zeroed_while_copied",
     [] { zeroed_while_copied<<<1, 64>>>(input<float4>(64), output<float4>(64), 50); }},
    {"no_barrier_after_the_wait",
     [] { no_barrier_after_the_wait<<<1, 64>>>(input<float4>(64), output<float4>(64)); }},
    {"buffer_requested_too_early",
     [] { buffer_requested_too_early<<<1, 64>>>(input<float4>(192), output<float4>(64)); }},
    {"copied_past_the_end",
     [] { copied_past_the_end<<<1, 64>>>(input<float4>(63), output<float4>(64)); }},
    {"copied_from_odd_rows",
     [] { copied_from_odd_rows<<<1, 64>>>(input<float>(64 * 30), output<float4>(64)); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
