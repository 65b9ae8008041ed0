// Correct programs whose blocks share global memory: atomics, fences, flags, locks, and parts of
// their own. No check may report anything about them.
#include <cuda_fp16.h>

#include "../cases.cuh"

// The last block, by an atomic counter behind a fence, adds up the partial sums of all.
__global__ void last_block_adds(const int* in, int* partial, unsigned* done, int* out) {
  __shared__ bool last;
  int sum = in[blockIdx.x * 32 + threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = sum;
    __threadfence();
    last = atomicAdd(done, 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  __threadfence();
  sum = 0;
  for (int b = 0; b < gridDim.x; ++b) sum += partial[b];
  *out = sum;
  atomicExch(done, 0);  // for the next launch
}

// All threads of a block write partials; the barrier makes thread 0's fence and count speak for
// all.
__global__ void last_block_reads_rows(const int* in, int* partial, unsigned* done, int* out) {
  __shared__ bool last;
  partial[blockIdx.x * 64 + threadIdx.x] = 2 * in[blockIdx.x * 64 + threadIdx.x];
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(done, gridDim.x - 1) == gridDim.x - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  int sum = 0;
  for (int b = 0; b < gridDim.x; ++b) sum += partial[b * 64 + threadIdx.x];
  out[threadIdx.x] = sum;
}

// Block 1 waits for a volatile flag that block 0 raises after a fence.
__global__ void volatile_flag(int* data, volatile int* flag, int* out) {
  if (blockIdx.x == 0) {
    data[threadIdx.x] = threadIdx.x;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) *flag = 1;
  } else {
    if (threadIdx.x == 0) {
      while (*flag == 0) {
      }
      __threadfence();
    }
    __syncthreads();
    out[threadIdx.x] = data[63 - threadIdx.x];
  }
}

// Block b waits for block b - 1, as a scan in one pass does.
__global__ void chained_scan(const int* in, int* sums, int* ready, int* out) {
  int before = 0;
  if (blockIdx.x > 0) {
    while (atomicAdd(&ready[blockIdx.x - 1], 0) == 0) {
    }
    __threadfence();
    before = sums[blockIdx.x - 1];
  }
  const int sum = before + in[blockIdx.x];
  sums[blockIdx.x] = sum;
  out[blockIdx.x] = sum;
  __threadfence();
  atomicExch(&ready[blockIdx.x], 1);
}

// Plain updates of a row under a lock; the lock is an atomic with a fence on either side.
__global__ void rows_under_a_lock(const int* in, int* rows, int* lock) {
  __shared__ int mine[32];
  mine[threadIdx.x] = in[blockIdx.x * 32 + threadIdx.x];
  if (threadIdx.x == 0) {
    while (atomicCAS(lock, 0, 1) != 0) {
    }
    __threadfence();
  }
  __syncthreads();
  rows[threadIdx.x] += mine[31 - threadIdx.x];
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) atomicExch(lock, 0);
}

__global__ void maximum_by_swapping(const float* in, float* best) {
  int* const bits = reinterpret_cast<int*>(best);
  const float mine = in[blockIdx.x * 32 + threadIdx.x];
  int seen = *bits;
  while (__int_as_float(seen) < mine) {
    const int before = atomicCAS(bits, seen, __float_as_int(mine));
    if (before == seen) break;
    seen = before;
  }
}

__global__ void guarded_maximum(const int* in, int* best) {
  const int mine = in[blockIdx.x * 32 + threadIdx.x];
  if (mine > *best) atomicMax(best, mine);
}

__global__ void histogram_of_all_blocks(const int* in, int* bins) {
  __shared__ int mine[13];
  if (threadIdx.x < 13) mine[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&mine[in[blockIdx.x * 64 + threadIdx.x]], 1);
  __syncthreads();
  if (threadIdx.x < 13) atomicAdd(&bins[threadIdx.x], mine[threadIdx.x]);
}

// Small integers in float: their sum does not depend on the order.
__global__ void split_k_by_atomics(const float* in, float* o) {
  atomicAdd(&o[threadIdx.x], in[blockIdx.x * 32 + threadIdx.x]);
}

__global__ void partial_results(const float* in, float* partial) {
  partial[blockIdx.x * 32 + threadIdx.x] = 2 * in[blockIdx.x * 32 + threadIdx.x];
}
__global__ void combine_partials(const float* partial, float* out, int splits) {
  float sum = 0;
  for (int split = 0; split < splits; ++split) sum += partial[split * 32 + threadIdx.x];
  out[threadIdx.x] = sum;
}

// Two blocks write the two halves of each word.
__global__ void halves_of_one_word(__half* out) {
  out[2 * threadIdx.x + blockIdx.x] = __int2half_rn(threadIdx.x + blockIdx.x);
}

__global__ void bytes_of_one_word(unsigned char* out) {
  unsigned char* const mine = &out[4 * threadIdx.x + blockIdx.x];
  *mine = static_cast<unsigned char>(threadIdx.x);
  *mine += blockIdx.x;
}

__global__ void in_place(float* x, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    x[i] = 2 * x[i] + 1;
}

// Each block exchanges its own pair of elements across the diagonal.
__global__ void transpose_in_place(float* matrix, int n) {
  const int row = blockIdx.x, column = threadIdx.x;
  if (row >= column || column >= n) return;
  const float kept = matrix[row * n + column];
  matrix[row * n + column] = matrix[column * n + row];
  matrix[column * n + row] = kept;
}

// Blocks take tiles from a counter until none is left.
__global__ void tiles_from_a_counter(const float* in, float* out, int* next, int tiles) {
  __shared__ int tile;
  while (true) {
    if (threadIdx.x == 0) tile = atomicAdd(next, 1);
    __syncthreads();
    const int mine = tile;
    __syncthreads();
    if (mine >= tiles) return;
    out[mine * 32 + threadIdx.x] = in[mine * 32 + threadIdx.x] + mine;
  }
}

// Global memory as a block's scratch: the block's own barrier orders it.
__global__ void scratch_of_one_block(const float* in, float* scratch, float* out) {
  float* const mine = scratch + blockIdx.x * 64;
  mine[threadIdx.x] = in[blockIdx.x * 64 + threadIdx.x];
  __syncthreads();
  out[blockIdx.x * 64 + threadIdx.x] = mine[63 - threadIdx.x] + mine[0];
}

__global__ void smoothed(const float* from, float* to, int n) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  to[i] = from[i] + (i > 0 ? from[i - 1] : 0) + (i + 1 < n ? from[i + 1] : 0);
}

constexpr Case kCases[] = {
    {"last_block_adds",
     [] {
       const int* const in = input<int>(128);
       int* const partial = fresh<int>(4);
       unsigned* const done = output<unsigned>(1);
       for (int launch = 0; launch < 2; ++launch)
         last_block_adds<<<4, 32>>>(in, partial, done, output<int>(1));
     }},
    {"last_block_reads_rows",
     [] {
       last_block_reads_rows<<<4, 64>>>(input<int>(256), fresh<int>(256), output<unsigned>(1),
                                        output<int>(64));
     }},
    {"volatile_flag",
     [] { volatile_flag<<<2, 64>>>(fresh<int>(64), output<int>(1), output<int>(64)); }},
    {"chained_scan",
     [] { chained_scan<<<8, 1>>>(input<int>(8), fresh<int>(8), output<int>(8), output<int>(8)); }},
    {"rows_under_a_lock",
     [] { rows_under_a_lock<<<4, 32>>>(input<int>(128), output<int>(32), output<int>(1)); }},
    {"maximum_by_swapping",
     [] { maximum_by_swapping<<<4, 32>>>(input<float>(128), output<float>(1)); }},
    {"guarded_maximum", [] { guarded_maximum<<<4, 32>>>(input<int>(128), output<int>(1)); }},
    {"histogram_of_all_blocks",
     [] { histogram_of_all_blocks<<<4, 64>>>(input<int>(256), output<int>(13)); }},
    {"split_k_by_atomics",
     [] { split_k_by_atomics<<<4, 32>>>(input<float>(128), output<float>(32)); }},
    {"split_k_in_two_launches",
     [] {
       float* const partial = fresh<float>(128);
       partial_results<<<4, 32>>>(input<float>(128), partial);
       combine_partials<<<1, 32>>>(partial, output<float>(32), 4);
     }},
    {"halves_of_one_word", [] { halves_of_one_word<<<2, 32>>>(output<__half>(64)); }},
    {"bytes_of_one_word", [] { bytes_of_one_word<<<4, 32>>>(output<unsigned char>(128)); }},
    {"in_place", [] { in_place<<<3, 64>>>(output<float>(500), 500); }},
    {"transpose_in_place",
     [] {
       float* const matrix = output<float>(32 * 32);
       in_place<<<1, 32>>>(matrix, 300);
       transpose_in_place<<<32, 32>>>(matrix, 32);
     }},
    {"tiles_from_a_counter",
     [] {
       tiles_from_a_counter<<<3, 32>>>(input<float>(320), output<float>(320), output<int>(1), 10);
     }},
    {"scratch_of_one_block",
     [] {
       scratch_of_one_block<<<3, 64>>>(input<float>(192), fresh<float>(192), output<float>(192));
     }},
    {"ping_pong_over_launches",
     [] {
       float *from = input<float>(128), *to = output<float>(128);
       for (int launch = 0; launch < 4; ++launch, std::swap(from, to))
         smoothed<<<4, 32>>>(from, to, 128);
     }},
    {"several_streams",
     [] {
       cudaStream_t first = nullptr, second = nullptr;
       cudaEvent_t filled = nullptr;
       must(cudaStreamCreate(&first));
       must(cudaStreamCreate(&second));
       must(cudaEventCreate(&filled));
       float *partial = fresh<float>(128), *other = fresh<float>(128);
       const float* const in = input<float>(128);
       partial_results<<<4, 32, 0, first>>>(in, partial);
       partial_results<<<4, 32, 0, second>>>(in, other);
       must(cudaEventRecord(filled, first));
       must(cudaStreamWaitEvent(second, filled));
       combine_partials<<<1, 32, 0, second>>>(partial, output<float>(32), 4);
       combine_partials<<<1, 32, 0, second>>>(other, output<float>(32), 4);
       must(cudaStreamSynchronize(second));
       must(cudaEventDestroy(filled));
       must(cudaStreamDestroy(first));
       must(cudaStreamDestroy(second));
     }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
