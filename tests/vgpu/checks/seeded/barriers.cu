// Barriers that not everybody reaches and shuffles from lanes that do not take part. `// BUG name:
// kind` stands on the line to report. What each thread does after a barrier keeps the compiler from
// merging the paths.
#include "../cases.cuh"

__global__ void barrier_under_a_condition(int* out) {
  out[threadIdx.x] = threadIdx.x;
  if (threadIdx.x < 40) __syncthreads();  // BUG barrier_under_a_condition: barrier
  out[127 - threadIdx.x] += 1;
}

__global__ void barrier_for_valid_rows(const float* in, float* out, int rows) {
  __shared__ float tile[64];
  if (threadIdx.x < rows) {
    tile[threadIdx.x] = in[threadIdx.x];
    __syncthreads();  // BUG barrier_for_valid_rows: barrier
    out[threadIdx.x] = tile[rows - 1 - threadIdx.x];
  }
  out[threadIdx.x] += 1;
}

__global__ void barrier_in_both_branches(int* out) {
  __shared__ int even[64], odd[64];
  if (threadIdx.x % 2 == 0) {
    even[threadIdx.x] = 1;
    __syncthreads();  // BUG barrier_in_both_branches: barrier
    out[threadIdx.x] = even[62 - threadIdx.x];
  } else {
    odd[threadIdx.x] = 2;
    __syncthreads();
    out[threadIdx.x] = odd[64 - threadIdx.x];
  }
}

// Whole warps take one branch or the other: each waits at its own __syncthreads().
__global__ void warps_at_different_barriers(int* out) {
  __shared__ int tile[64];
  if (threadIdx.x < 32) {
    tile[threadIdx.x] = 1;
    __syncthreads();  // BUG warps_at_different_barriers: barrier
    out[threadIdx.x] = tile[63 - threadIdx.x];
  } else {
    tile[threadIdx.x] = 2;
    __syncthreads();
    out[threadIdx.x] = tile[63 - threadIdx.x] + 1;
  }
}

// A causal row needs as many tiles as lie before it, and every tile has a barrier.
__global__ void barrier_in_uneven_loop(const float* in, float* out) {
  __shared__ float tile[4][64];
  float sum = 0;
  for (int j = 0; j <= threadIdx.x / 16; ++j) {
    tile[j][threadIdx.x] = in[j * 16 + threadIdx.x];
    __syncthreads();  // BUG barrier_in_uneven_loop: barrier
    sum += tile[j][63];
  }
  out[threadIdx.x] = sum;
}

// A barrier for 64 threads that 96 use: one warp is left over.
__global__ void barrier_for_too_few(int* out) {
  __shared__ int tile[96];
  tile[threadIdx.x] = threadIdx.x;
  asm volatile("bar.sync 1, 64;" ::: "memory");  // BUG barrier_for_too_few: barrier
  out[threadIdx.x] = tile[threadIdx.x];
}

// Two groups of warps wait for each other, each at the other's second barrier.
__global__ void barriers_in_opposite_order(int* out) {
  if (threadIdx.x < 32) {
    asm volatile("bar.sync 1, 64;" ::: "memory");  // BUG barriers_in_opposite_order: barrier
    asm volatile("bar.sync 2, 64;" ::: "memory");
  } else {
    asm volatile("bar.sync 2, 64;" ::: "memory");
    asm volatile("bar.sync 1, 64;" ::: "memory");
  }
  out[threadIdx.x] = 1;
}

__global__ void arrival_forgotten(int* out) {
  __shared__ int box[32];
  if (threadIdx.x < 32) {
    box[threadIdx.x] = threadIdx.x;
  } else {
    asm volatile("bar.sync 1, 64;" ::: "memory");  // BUG arrival_forgotten: barrier
    out[threadIdx.x] = box[63 - threadIdx.x];
  }
}

__global__ void full_mask_in_half_a_warp(const float* in, float* out) {
  float v = in[threadIdx.x];
  if (threadIdx.x < 16) {
    v += __shfl_down_sync(~0u, v, 16);  // BUG full_mask_in_half_a_warp: shuffle
    out[threadIdx.x] = v;
  }
  out[threadIdx.x] += 1;
}

// A block of 48 threads: the second warp has 16 lanes.
__global__ void reduction_of_partial_warp(const float* in, float* out) {
  float v = in[threadIdx.x];
  for (int step = 16; step > 0; step /= 2)
    v += __shfl_down_sync(~0u, v, step);  // BUG reduction_of_partial_warp: shuffle
  out[threadIdx.x] = v;
}

// Rows beyond the sequence return first.
__global__ void shuffle_after_return(const float* in, float* out, int rows) {
  if (threadIdx.x >= rows) return;
  float m = in[threadIdx.x];
  for (int step = 16; step > 0; step /= 2)
    m = fmaxf(m, __shfl_xor_sync(~0u, m, step));  // BUG shuffle_after_return: shuffle
  out[threadIdx.x] = m;
}

// Lane 0 has the maximum, but is not among those who ask for it.
__global__ void broadcast_from_outside(const float* in, float* out) {
  const float v = in[threadIdx.x];
  if (threadIdx.x % 4 != 0) {
    out[threadIdx.x] = __shfl_sync(~0u, v, 0);  // BUG broadcast_from_outside: shuffle
  }
  out[threadIdx.x] += 1;
}

// The mask names a group of 16 lanes, of which 8 take part.
__global__ void mask_of_another_group(const float* in, float* out) {
  float v = in[threadIdx.x];
  if (threadIdx.x < 8) {
    for (int step = 8; step > 0; step /= 2)
      v += __shfl_xor_sync(0xffffu, v, step);  // BUG mask_of_another_group: shuffle
    out[threadIdx.x] = v;
  }
  out[threadIdx.x] += 1;
}

constexpr Case kCases[] = {
    {"barrier_under_a_condition", [] { barrier_under_a_condition<<<1, 128>>>(output<int>(128)); }},
    {"barrier_for_valid_rows",
     [] { barrier_for_valid_rows<<<1, 64>>>(input<float>(64), output<float>(64), 50); }},
    {"barrier_in_both_branches", [] { barrier_in_both_branches<<<1, 64>>>(output<int>(64)); }},
    {"warps_at_different_barriers",
     [] { warps_at_different_barriers<<<1, 64>>>(output<int>(64)); }},
    {"barrier_in_uneven_loop",
     [] { barrier_in_uneven_loop<<<1, 64>>>(input<float>(128), output<float>(64)); }},
    {"barrier_for_too_few", [] { barrier_for_too_few<<<1, 96>>>(output<int>(96)); }},
    {"barriers_in_opposite_order", [] { barriers_in_opposite_order<<<1, 64>>>(output<int>(64)); }},
    {"arrival_forgotten", [] { arrival_forgotten<<<1, 64>>>(output<int>(64)); }},
    {"full_mask_in_half_a_warp",
     [] { full_mask_in_half_a_warp<<<1, 32>>>(input<float>(32), output<float>(32)); }},
    {"reduction_of_partial_warp",
     [] { reduction_of_partial_warp<<<1, 48>>>(input<float>(48), output<float>(48)); }},
    {"shuffle_after_return",
     [] { shuffle_after_return<<<1, 64>>>(input<float>(64), output<float>(64), 50); }},
    {"broadcast_from_outside",
     [] { broadcast_from_outside<<<1, 32>>>(input<float>(32), output<float>(32)); }},
    {"mask_of_another_group",
     [] { mask_of_another_group<<<1, 32>>>(input<float>(32), output<float>(32)); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
