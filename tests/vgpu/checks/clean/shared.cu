// Correct kernels that use shared memory in unusual ways: no check may report anything about them.
#include <cuda_fp16.h>

#include "../cases.cuh"

constexpr int kThreads = 128;

__global__ void early_return_then_barrier(int* out) {
  __shared__ int tile[kThreads];
  if (threadIdx.x >= 100) return;
  tile[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[blockIdx.x * kThreads + threadIdx.x] = tile[99 - threadIdx.x];
}

__global__ void warp_reduction(int* out) {
  __shared__ int tile[kThreads];
  const int lane = threadIdx.x % 32, base = threadIdx.x - lane;
  tile[threadIdx.x] = threadIdx.x;
  __syncwarp();
  for (int step = 16; step > 0; step /= 2) {
    const int other = lane < step ? tile[base + lane + step] : 0;
    __syncwarp();
    if (lane < step) tile[base + lane] += other;
    __syncwarp();
  }
  out[blockIdx.x * kThreads + threadIdx.x] = tile[base];
}

__global__ void double_buffer(int* out) {
  __shared__ int tile[2][kThreads];
  int sum = 0;
  tile[0][threadIdx.x] = threadIdx.x;
  __syncthreads();
  for (int round = 0; round < 4; ++round) {
    if (round < 3) tile[(round + 1) % 2][threadIdx.x] = round + threadIdx.x;
    sum += tile[round % 2][kThreads - 1 - threadIdx.x];
    __syncthreads();
  }
  out[blockIdx.x * kThreads + threadIdx.x] = sum;
}

__global__ void padded_transpose(int* out) {
  __shared__ int tile[32][33];
  for (int row = threadIdx.x / 32; row < 32; row += kThreads / 32)
    tile[row][threadIdx.x % 32] = row;
  __syncthreads();
  for (int row = threadIdx.x / 32; row < 32; row += kThreads / 32)
    out[row * 32 + threadIdx.x % 32] = tile[threadIdx.x % 32][row];
}

__global__ void histogram(int* out) {
  __shared__ int bins[16];
  if (threadIdx.x < 16) bins[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bins[threadIdx.x * 7 % 16], 1);
  __syncthreads();
  if (threadIdx.x < 16) out[blockIdx.x * kThreads + threadIdx.x] = bins[threadIdx.x];
}

__global__ void block_scan(int* out) {
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = 1;
  __syncthreads();
  for (int step = 1; step < kThreads; step *= 2) {
    const int other = threadIdx.x >= step ? tile[threadIdx.x - step] : 0;
    __syncthreads();
    tile[threadIdx.x] += other;
    __syncthreads();
  }
  out[blockIdx.x * kThreads + threadIdx.x] = tile[threadIdx.x];
}

__global__ void own_bytes(char* out) {
  __shared__ char tile[kThreads];
  tile[threadIdx.x] = static_cast<char>(threadIdx.x);
  tile[threadIdx.x] = static_cast<char>(tile[threadIdx.x] + 1);
  out[blockIdx.x * kThreads + threadIdx.x] = tile[threadIdx.x];
}

__global__ void counted_barrier(int* out) {
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 5;
  const int positive = __syncthreads_count(threadIdx.x < 10);
  out[blockIdx.x * kThreads + threadIdx.x] = positive + flag;
}

__global__ void broadcast_then_replace(int* out) {
  __shared__ int value;
  if (threadIdx.x == 0) value = 1;
  __syncthreads();
  const int seen = value;
  __syncthreads();
  if (threadIdx.x == 7) value = seen + 1;
  __syncthreads();
  out[blockIdx.x * kThreads + threadIdx.x] = value;
}

__global__ void warps_own_slices(int* out) {
  __shared__ int tile[4][32];
  int* mine = tile[threadIdx.x / 32];
  for (int round = 0; round < 3; ++round) {
    mine[threadIdx.x % 32] = round;
    __syncwarp();
    out[blockIdx.x * kThreads + threadIdx.x] = mine[31 - threadIdx.x % 32];
    __syncwarp();
  }
}

// Element (r, c) lies at column c ^ r: neither rows nor columns meet bank conflicts.
__global__ void swizzled_transpose(const int* in, int* out) {
  __shared__ int tile[32][32];
  const int column = threadIdx.x % 32;
  for (int row = threadIdx.x / 32; row < 32; row += kThreads / 32)
    tile[row][column ^ row] = in[row * 32 + column];
  __syncthreads();
  for (int row = threadIdx.x / 32; row < 32; row += kThreads / 32)
    out[row * 32 + column] = tile[column][row ^ column];
}

// Neighbours in one word are written by different threads, here even of different warps.
__global__ void neighbouring_halves(__half* out) {
  __shared__ __half tile[kThreads];
  const int at = threadIdx.x % 64 * 2 + threadIdx.x / 64;
  tile[at] = __int2half_rn(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x];
}

__global__ void neighbouring_bytes(unsigned char* out) {
  __shared__ unsigned char tile[kThreads];
  const int at = threadIdx.x % 32 * 4 + threadIdx.x / 32;
  tile[at] = static_cast<unsigned char>(threadIdx.x);
  tile[at] += 1;  // a read and a write of the own byte, beside those of three other warps
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x];
}

// Written as bytes, read as vectors.
__global__ void bytes_read_as_vectors(uint4* out) {
  __shared__ alignas(16) unsigned char tile[kThreads * 16];
  for (int i = threadIdx.x; i < kThreads * 16; i += kThreads)
    tile[i] = static_cast<unsigned char>(i * 3);
  __syncthreads();
  out[threadIdx.x] = reinterpret_cast<const uint4*>(tile)[threadIdx.x];
}

// Pieces of several types in one dynamic array, the last of them empty.
__global__ void carved_dynamic_memory(float* out, int extra) {
  extern __shared__ __align__(16) unsigned char dynamic[];
  float4* const vectors = reinterpret_cast<float4*>(dynamic);
  float* const floats = reinterpret_cast<float*>(vectors + kThreads);
  __half* const halves = reinterpret_cast<__half*>(floats + kThreads);
  int* const nothing = reinterpret_cast<int*>(halves + kThreads);
  const float x = threadIdx.x;
  vectors[threadIdx.x] = {x, x + 1, x + 2, x + 3};
  floats[threadIdx.x] = 2 * x;
  halves[threadIdx.x] = __float2half(x);
  for (int i = threadIdx.x; i < extra; i += kThreads) nothing[i] = 0;
  __syncthreads();
  const int other = kThreads - 1 - threadIdx.x;
  out[threadIdx.x] = vectors[other].z + floats[other] + __half2float(halves[other]);
}

// A piece of shared memory that two phases use for different things.
__global__ void reused_for_another_type(int* out) {
  __shared__ union {
    float scores[kThreads];
    int counts[kThreads];
  } phase;
  phase.scores[threadIdx.x] = threadIdx.x;
  __syncthreads();
  const float sum = phase.scores[kThreads - 1 - threadIdx.x] + phase.scores[0];
  __syncthreads();
  phase.counts[threadIdx.x] = static_cast<int>(sum);
  __syncthreads();
  out[threadIdx.x] = phase.counts[(threadIdx.x + 32) % kThreads];
}

// Each thread exchanges its own pair of elements: nobody else touches them.
__global__ void transpose_in_place(int* out) {
  __shared__ int tile[32][33];
  for (int i = threadIdx.x; i < 1024; i += kThreads) tile[i / 32][i % 32] = i;
  __syncthreads();
  for (int i = threadIdx.x; i < 1024; i += kThreads) {
    const int row = i / 32, column = i % 32;
    if (row >= column) continue;
    const int kept = tile[row][column];
    tile[row][column] = tile[column][row];
    tile[column][row] = kept;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < 1024; i += kThreads) out[i] = tile[i / 32][i % 32];
}

// The plain read only saves an atomic operation: a stale value costs one that changes nothing.
__global__ void guarded_maximum(const int* in, int* out) {
  __shared__ int best;
  if (threadIdx.x == 0) best = 0;
  __syncthreads();
  if (in[threadIdx.x] > best) atomicMax(&best, in[threadIdx.x]);
  __syncthreads();
  if (threadIdx.x == 0) *out = best;
}

// A floating-point maximum by compare-and-swap, which begins with a plain read.
__global__ void maximum_by_swapping(const float* in, float* out) {
  __shared__ int bits;
  if (threadIdx.x == 0) bits = 0;
  __syncthreads();
  const float mine = in[threadIdx.x];
  int seen = bits;
  while (__int_as_float(seen) < mine) {
    const int before = atomicCAS(&bits, seen, __float_as_int(mine));
    if (before == seen) break;
    seen = before;
  }
  __syncthreads();
  if (threadIdx.x == 0) *out = __int_as_float(bits);
}

// Warp 0 hands a value to the others by a volatile flag, with fences, and no barrier.
__global__ void flag_within_the_block(int* out) {
  __shared__ int value;
  __shared__ volatile int flag;
  if (threadIdx.x == 0) flag = 0;
  __syncthreads();
  if (threadIdx.x == 0) {
    value = 42;
    __threadfence_block();
    flag = 1;
  } else if (threadIdx.x >= 32) {
    while (flag == 0) {
    }
    __threadfence_block();
    out[threadIdx.x] = value;
  }
}

// The number of rounds depends on the data, but all threads agree on it.
__global__ void rounds_until_all_are_done(const int* in, int* out) {
  __shared__ int tile[kThreads];
  tile[threadIdx.x] = in[threadIdx.x];
  int rounds = 0;
  while (__syncthreads_or(tile[threadIdx.x] > 0)) {
    const int next = max(tile[(threadIdx.x + 32) % kThreads] - 1, 0);
    __syncthreads();
    tile[threadIdx.x] = next;
    ++rounds;
  }
  out[threadIdx.x] = rounds;
}

// Two groups of two warps, each with its own tile and its own barrier, go on at their own pace.
__global__ void group_barriers(int* out) {
  __shared__ int tile[2][64];
  const int group = threadIdx.x / 64, member = threadIdx.x % 64;
  int sum = 0;
  for (int round = 0; round < 2 + group; ++round) {
    tile[group][member] = round + member;
    asm volatile("bar.sync %0, 64;" ::"r"(group + 1) : "memory");
    sum += tile[group][63 - member];
    asm volatile("bar.sync %0, 64;" ::"r"(group + 1) : "memory");
  }
  out[threadIdx.x] = sum;
}

// Only the first warp has something to do between the barriers, and only rows that exist are read.
__global__ void row_state_in_shared_memory(const float* scores, float* out, int rows) {
  __shared__ float m[64], l[64];
  if (threadIdx.x < rows) m[threadIdx.x] = scores[threadIdx.x];
  if (threadIdx.x < rows) l[threadIdx.x] = 1;
  __syncthreads();
  for (int round = 0; round < 3; ++round) {
    if (threadIdx.x < 32) {
      for (int row = threadIdx.x; row < rows; row += 32) {
        l[row] = l[row] * 2 + round;
        m[row] = fmaxf(m[row], l[row]);
      }
    }
    __syncthreads();
    if (threadIdx.x < rows) out[round * 64 + threadIdx.x] = m[threadIdx.x] - l[threadIdx.x];
    __syncthreads();
  }
}

constexpr Case kCases[] = {
    {"early_return_then_barrier",
     [] { early_return_then_barrier<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"warp_reduction", [] { warp_reduction<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"double_buffer", [] { double_buffer<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"padded_transpose", [] { padded_transpose<<<1, kThreads>>>(output<int>(1024)); }},
    {"histogram", [] { histogram<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"block_scan", [] { block_scan<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"own_bytes", [] { own_bytes<<<2, kThreads>>>(output<char>(2 * kThreads)); }},
    {"counted_barrier", [] { counted_barrier<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"broadcast_then_replace",
     [] { broadcast_then_replace<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"warps_own_slices", [] { warps_own_slices<<<2, kThreads>>>(output<int>(2 * kThreads)); }},
    {"swizzled_transpose",
     [] { swizzled_transpose<<<1, kThreads>>>(input<int>(1024), output<int>(1024)); }},
    {"neighbouring_halves", [] { neighbouring_halves<<<1, kThreads>>>(output<__half>(kThreads)); }},
    {"neighbouring_bytes",
     [] { neighbouring_bytes<<<1, kThreads>>>(output<unsigned char>(kThreads)); }},
    {"bytes_read_as_vectors",
     [] { bytes_read_as_vectors<<<1, kThreads>>>(output<uint4>(kThreads)); }},
    {"carved_dynamic_memory",
     [] { carved_dynamic_memory<<<1, kThreads, kThreads * 22>>>(output<float>(kThreads), 0); }},
    {"reused_for_another_type",
     [] { reused_for_another_type<<<1, kThreads>>>(output<int>(kThreads)); }},
    {"transpose_in_place", [] { transpose_in_place<<<1, kThreads>>>(output<int>(1024)); }},
    {"guarded_maximum",
     [] { guarded_maximum<<<1, kThreads>>>(input<int>(kThreads), output<int>(1)); }},
    {"maximum_by_swapping",
     [] { maximum_by_swapping<<<1, kThreads>>>(input<float>(kThreads), output<float>(1)); }},
    {"flag_within_the_block",
     [] { flag_within_the_block<<<1, kThreads>>>(output<int>(kThreads)); }},
    {"rounds_until_all_are_done",
     [] {
       rounds_until_all_are_done<<<1, kThreads>>>(input<int>(kThreads), output<int>(kThreads));
     }},
    {"group_barriers", [] { group_barriers<<<1, kThreads>>>(output<int>(kThreads)); }},
    {"row_state_in_shared_memory",
     [] { row_state_in_shared_memory<<<1, kThreads>>>(input<float>(64), output<float>(192), 50); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
