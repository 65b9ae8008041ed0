// Races on shared memory, one in each kernel. `// BUG name: kind` stands on the line to report.
#include <cuda_fp16.h>

#include "../cases.cuh"

__global__ void missing_barrier_across_warps(int* out) {
  __shared__ int tile[64];
  tile[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG missing_barrier_across_warps: race
}

__global__ void tile_refilled_too_early(const float* keys, float* out) {
  __shared__ float tile[64];
  float sum = 0;
  for (int start = 0; start < 256; start += 64) {
    tile[threadIdx.x] = keys[start + threadIdx.x];  // BUG tile_refilled_too_early: race
    __syncthreads();
    for (int j = 0; j < 64; ++j) sum += tile[j];
  }
  out[threadIdx.x] = sum;
}

__global__ void missing_syncwarp(int* out) {
  __shared__ int tile[32];
  tile[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = tile[31 - threadIdx.x];  // BUG missing_syncwarp: race
}

__global__ void reduction_without_barrier(int* out) {
  __shared__ int tile[128];
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (threadIdx.x < step)
      tile[threadIdx.x] += tile[threadIdx.x + step];  // BUG reduction_without_barrier: race
  }
  if (threadIdx.x == 0) out[0] = tile[0];
}

// The last six steps of a reduction as they were written before Volta: volatile, no __syncwarp().
__global__ void unsynchronised_last_warp(int* out) {
  __shared__ int tile[64];
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  if (threadIdx.x < 32) {
    volatile int* const v = &tile[threadIdx.x];
    for (int step = 32; step > 0; step /= 2)
      v[0] = v[0] + v[step];  // BUG unsynchronised_last_warp: race
  }
  if (threadIdx.x == 0) out[0] = tile[0];
}

__global__ void everyone_writes_the_sum(int* out) {
  __shared__ int total;
  total = threadIdx.x;  // BUG everyone_writes_the_sum: race
  __syncthreads();
  out[threadIdx.x] = total;
}

__global__ void zeroed_beside_atomics(int* out) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  atomicAdd(&total, 1);  // BUG zeroed_beside_atomics: race
  __syncthreads();
  out[threadIdx.x] = total;
}

__global__ void sum_read_beside_atomics(int* out) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  atomicAdd(&total, 1);
  out[threadIdx.x] = total;  // BUG sum_read_beside_atomics: race
}

__global__ void wrong_named_barrier(int* out) {
  __shared__ int tile[64];
  tile[threadIdx.x] = threadIdx.x;
  if (threadIdx.x < 32) {
    asm volatile("bar.sync 1, 32;" ::: "memory");
  } else {
    asm volatile("bar.sync 2, 32;" ::: "memory");
  }
  out[threadIdx.x] = tile[63 - threadIdx.x];  // BUG wrong_named_barrier: race
}

// The producers arrive, but the consumers never wait.
__global__ void consumer_does_not_wait(int* out) {
  __shared__ int box[64];
  if (threadIdx.x < 64) {
    box[threadIdx.x] = threadIdx.x;
    asm volatile("bar.sync 1, 64;" ::: "memory");
  } else {
    out[threadIdx.x] = box[threadIdx.x - 64];  // BUG consumer_does_not_wait: race
  }
}

// Two warps share a row of scores and both keep its running maximum.
__global__ void row_maximum_of_two_warps(const float* scores, float* out) {
  __shared__ float m[4];
  const int row = threadIdx.x / 64;
  if (threadIdx.x < 4) m[threadIdx.x] = 0;
  __syncthreads();
  if (threadIdx.x % 32 == 0)
    m[row] = fmaxf(m[row], scores[threadIdx.x]);  // BUG row_maximum_of_two_warps: race
  __syncthreads();
  out[threadIdx.x] = m[row];
}

// Thread 0 replaces the maximum while others still rescale with the old one.
__global__ void maximum_replaced_while_read(const float* scores, float* out) {
  __shared__ float m;
  if (threadIdx.x == 0) m = 0;
  __syncthreads();
  float l = 1;
  for (int j = 0; j < 4; ++j) {
    const float old = m;
    l += scores[j * 64 + threadIdx.x] - old;
    if (threadIdx.x == 0) m = old + j;  // BUG maximum_replaced_while_read: race
    __syncthreads();
  }
  out[threadIdx.x] = l;
}

// The sum of the row is broadcast through shared memory, but not everybody waits for it.
__global__ void sum_used_before_it_is_there(const float* scores, float* out) {
  __shared__ float partial[4], total;
  float sum = scores[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(~0u, sum, step);
  if (threadIdx.x == 0) total = 0;
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) total = partial[0] + partial[1] + partial[2] + partial[3];
  out[threadIdx.x] = scores[threadIdx.x] / total;  // BUG sum_used_before_it_is_there: race
}

// The next tile goes into the buffer that is being read.
__global__ void prefetch_into_the_same_buffer(const float* keys, float* out) {
  __shared__ float tile[2][64];
  float sum = 0;
  tile[0][threadIdx.x] = keys[threadIdx.x];
  tile[1][threadIdx.x] = keys[64 + threadIdx.x];
  __syncthreads();
  for (int round = 0; round < 3; ++round) {
    const float next = keys[(round + 1) * 64 + threadIdx.x];
    sum += tile[round % 2][63 - threadIdx.x];
    tile[round % 2][threadIdx.x] = next;  // BUG prefetch_into_the_same_buffer: race
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

// Hillis and Steele's scan in place needs two barriers in each step.
__global__ void scan_with_one_barrier(int* out) {
  __shared__ int tile[128];
  tile[threadIdx.x] = 1;
  __syncthreads();
  for (int step = 1; step < 128; step *= 2) {
    const int other = threadIdx.x >= step ? tile[threadIdx.x - step] : 0;
    tile[threadIdx.x] += other;  // BUG scan_with_one_barrier: race
    __syncthreads();
  }
  out[threadIdx.x] = tile[threadIdx.x];
}

// Pairs of halves start at every half, so neighbours overlap.
__global__ void overlapping_pairs(__half* out) {
  __shared__ __half tile[65];
  const __half value = __int2half_rn(threadIdx.x);
  tile[threadIdx.x] = value;
  tile[threadIdx.x + 1] = value;  // BUG overlapping_pairs: race
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x];
}

// Probabilities are written by rows of one warp and read by columns of another.
__global__ void transposed_without_barrier(float* out) {
  __shared__ float p[8][33];
  const int row = threadIdx.x / 32, column = threadIdx.x % 32;
  p[row][column] = row + column;
  out[threadIdx.x] = p[threadIdx.x % 8][threadIdx.x / 8];  // BUG transposed_without_barrier: race
}

constexpr Case kCases[] = {
    {"missing_barrier_across_warps",
     [] { missing_barrier_across_warps<<<1, 64>>>(output<int>(64)); }},
    {"tile_refilled_too_early",
     [] { tile_refilled_too_early<<<1, 64>>>(input<float>(256), output<float>(64)); }},
    {"missing_syncwarp", [] { missing_syncwarp<<<1, 32>>>(output<int>(32)); }},
    {"reduction_without_barrier", [] { reduction_without_barrier<<<1, 128>>>(output<int>(1)); }},
    {"unsynchronised_last_warp", [] { unsynchronised_last_warp<<<1, 64>>>(output<int>(1)); }},
    {"everyone_writes_the_sum", [] { everyone_writes_the_sum<<<1, 64>>>(output<int>(64)); }},
    {"zeroed_beside_atomics", [] { zeroed_beside_atomics<<<1, 64>>>(output<int>(64)); }},
    {"sum_read_beside_atomics", [] { sum_read_beside_atomics<<<1, 64>>>(output<int>(64)); }},
    {"wrong_named_barrier", [] { wrong_named_barrier<<<1, 64>>>(output<int>(64)); }},
    {"consumer_does_not_wait", [] { consumer_does_not_wait<<<1, 128>>>(output<int>(128)); }},
    {"row_maximum_of_two_warps",
     [] { row_maximum_of_two_warps<<<1, 256>>>(input<float>(256), output<float>(256)); }},
    {"maximum_replaced_while_read",
     [] { maximum_replaced_while_read<<<1, 64>>>(input<float>(256), output<float>(64)); }},
    {"sum_used_before_it_is_there",
     [] { sum_used_before_it_is_there<<<1, 128>>>(input<float>(128), output<float>(128)); }},
    {"prefetch_into_the_same_buffer",
     [] { prefetch_into_the_same_buffer<<<1, 64>>>(input<float>(256), output<float>(64)); }},
    {"scan_with_one_barrier", [] { scan_with_one_barrier<<<1, 128>>>(output<int>(128)); }},
    {"overlapping_pairs", [] { overlapping_pairs<<<1, 64>>>(output<__half>(64)); }},
    {"transposed_without_barrier",
     [] { transposed_without_barrier<<<1, 256>>>(output<float>(256)); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
