// Selections in one pass and in place, as Thrust's unique() works: a block reads its tile, hears
// from the block before it how many elements were kept, says how many there are with its own, and
// writes them, also to where the blocks before it have read. Strong stores without a fence order
// what was read before them, if the block has met in between, and nothing else. `// BUG name: kind`
// stands on the line to report.
#include <cuda/atomic>

#include "../cases.cuh"

constexpr int kTile = 64, kBlocks = 6, kCount = kTile * kBlocks;

using Status = cuda::atomic_ref<int, cuda::thread_scope_device>;

// The number of elements that the blocks before this one keep, for all its threads. `kept`: of this
// block.
__device__ int elements_before(int* status, int kept) {
  __shared__ int before;
  if (threadIdx.x == 0) {
    int sum = 0;
    if (blockIdx.x > 0) {
      const Status previous(status[blockIdx.x - 1]);
      int said = 0;
      while ((said = previous.load(cuda::std::memory_order_relaxed)) == 0) {
      }
      sum = said - 1;
    }
    Status(status[blockIdx.x]).store(sum + kept + 1, cuda::std::memory_order_relaxed);
    before = sum;
  }
  __syncthreads();
  return before;
}

__global__ void kept_in_place(float* x, int* status) {
  const float mine = x[blockIdx.x * kTile + threadIdx.x];
  const bool keep = mine < 4;
  const int kept = __syncthreads_count(keep);
  const int before = elements_before(status, kept);
  __shared__ int next;
  if (threadIdx.x == 0) next = 0;
  __syncthreads();
  if (keep) x[before + atomicAdd(&next, 1)] = 1;
}

// The same, but threads of one block read at different times: thread 0 does not wait for the others
// before it says that the block has read.
__global__ void said_before_all_have_read(float* x, int* status) {
  const float mine = x[blockIdx.x * kTile + threadIdx.x];
  const int before = elements_before(status, kTile / 2);
  if (mine < 4) x[before + threadIdx.x / 2] = 1;  // BUG said_before_all_have_read: race_global
}

// Writes first and asks then.
__global__ void written_before_asking(float* x, int* status) {
  const float mine = x[blockIdx.x * kTile + threadIdx.x];
  __syncthreads();
  if (blockIdx.x > 0)
    x[blockIdx.x * kTile - 1 - threadIdx.x] = mine;  // BUG written_before_asking: race_global
  elements_before(status, kTile);
}

// What a block has written it has to release: here nothing does.
__global__ void sum_without_a_fence(const float* x, float* sums, int* status) {
  if (threadIdx.x == 0) sums[blockIdx.x] = x[blockIdx.x];
  __syncthreads();
  elements_before(status, kTile);
  if (threadIdx.x == 0 && blockIdx.x > 0)
    sums[kBlocks + blockIdx.x] = sums[blockIdx.x - 1];  // BUG sum_without_a_fence: race_global
}
__global__ void sum_with_a_fence(const float* x, float* sums, int* status) {
  if (threadIdx.x == 0) sums[blockIdx.x] = x[blockIdx.x];
  __threadfence();
  __syncthreads();
  elements_before(status, kTile);
  if (threadIdx.x == 0 && blockIdx.x > 0) sums[kBlocks + blockIdx.x] = sums[blockIdx.x - 1];
}

constexpr Case kCases[] = {
    {"kept_in_place",
     [] { kept_in_place<<<kBlocks, kTile>>>(input<float>(kCount), output<int>(kBlocks)); }},
    {"said_before_all_have_read",
     [] {
       said_before_all_have_read<<<kBlocks, kTile>>>(input<float>(kCount), output<int>(kBlocks));
     }},
    {"written_before_asking",
     [] { written_before_asking<<<kBlocks, kTile>>>(input<float>(kCount), output<int>(kBlocks)); }},
    {"sum_without_a_fence",
     [] {
       sum_without_a_fence<<<kBlocks, kTile>>>(input<float>(kBlocks), output<float>(2 * kBlocks),
                                               output<int>(kBlocks));
     }},
    {"sum_with_a_fence",
     [] {
       sum_with_a_fence<<<kBlocks, kTile>>>(input<float>(kBlocks), output<float>(2 * kBlocks),
                                            output<int>(kBlocks));
     }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
