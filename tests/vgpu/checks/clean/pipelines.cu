// Correct pipelines: producers and consumers with named barriers, and cp.async in several stages.
// No check may report anything about them.
#include <cuda_pipeline.h>

#include "../async_copy.cuh"
#include "../cases.cuh"

constexpr int kThreads = 128;

// Warps 0 and 1 fill, warps 2 and 3 use; two named barriers hand the buffer back and forth.
__global__ void producer_and_consumer(int* out) {
  __shared__ int box[64];
  for (int round = 0; round < 3; ++round) {
    if (threadIdx.x < 64) {
      if (round > 0) asm volatile("bar.sync 2, 128;" ::: "memory");
      box[threadIdx.x] = round + threadIdx.x;
      asm volatile("bar.arrive 1, 128;" ::: "memory");
    } else {
      asm volatile("bar.sync 1, 128;" ::: "memory");
      out[round * 64 + threadIdx.x - 64] = box[127 - threadIdx.x];
      if (round < 2) asm volatile("bar.arrive 2, 128;" ::: "memory");
    }
  }
}

// Two buffers, with a barrier each for full and empty, so that the producer runs ahead.
__global__ void producer_runs_ahead(const int* in, int* out) {
  __shared__ int box[2][64];
  for (int round = 0; round < 6; ++round) {
    const int buffer = round % 2;
    if (threadIdx.x < 64) {
      if (round >= 2) asm volatile("bar.sync %0, 128;" ::"r"(3 + buffer) : "memory");
      box[buffer][threadIdx.x] = in[round * 64 + threadIdx.x];
      asm volatile("bar.arrive %0, 128;" ::"r"(1 + buffer) : "memory");
    } else {
      asm volatile("bar.sync %0, 128;" ::"r"(1 + buffer) : "memory");
      out[round * 64 + threadIdx.x - 64] = box[buffer][127 - threadIdx.x];
      if (round < 4) asm volatile("bar.arrive %0, 128;" ::"r"(3 + buffer) : "memory");
    }
  }
}

__global__ void one_stage(const float4* in, float4* out) {
  __shared__ float4 tile[kThreads];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  wait_group<0>();
  __syncthreads();
  out[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}

// The next tile is requested before the present one is used; the last round waits for everything.
__global__ void two_stages(const float4* in, float4* out, int tiles) {
  __shared__ float4 tile[2][kThreads];
  float sum = 0;
  copy_async(&tile[0][threadIdx.x], &in[threadIdx.x]);
  commit_group();
  for (int i = 0; i < tiles; ++i) {
    if (i + 1 < tiles) {
      copy_async(&tile[(i + 1) % 2][threadIdx.x], &in[(i + 1) * kThreads + threadIdx.x]);
      commit_group();
      wait_group<1>();
    } else {
      wait_group<0>();
    }
    __syncthreads();
    sum += tile[i % 2][kThreads - 1 - threadIdx.x].y;
    __syncthreads();
  }
  out[threadIdx.x] = {sum, 0, 0, 0};
}

// One barrier in each round: the buffer that is requested was used one round before it. Rounds
// without a tile commit an empty group, so that the number of pending groups stays the same.
__global__ void four_stages(const float4* in, float4* out, int tiles) {
  constexpr int kStages = 4;
  __shared__ float4 tile[kStages][kThreads];
  const auto request = [&](int i) {
    if (i < tiles) copy_async(&tile[i % kStages][threadIdx.x], &in[i * kThreads + threadIdx.x]);
    commit_group();
  };
  float sum = 0;
  for (int i = 0; i < kStages - 1; ++i) request(i);
  for (int i = 0; i < tiles; ++i) {
    wait_group<kStages - 2>();
    __syncthreads();
    request(i + kStages - 1);
    sum += tile[i % kStages][kThreads - 1 - threadIdx.x].z;
  }
  out[threadIdx.x] = {sum, 0, 0, 0};
}

// Keys are used while values are on their way.
__global__ void keys_then_values(const float4* in, float4* out) {
  __shared__ float4 keys[kThreads], values[kThreads];
  copy_async(&keys[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  copy_async(&values[threadIdx.x], &in[kThreads + threadIdx.x]);
  commit_group();
  wait_group<1>();
  __syncthreads();
  float sum = keys[kThreads - 1 - threadIdx.x].x;
  wait_group<0>();
  __syncthreads();
  sum += values[kThreads - 1 - threadIdx.x].x;
  out[threadIdx.x] = {sum, 0, 0, 0};
}

// A thread that reads what it copied itself needs the wait, but no barrier.
__global__ void own_copies(const float4* in, float4* out) {
  __shared__ float4 tile[kThreads];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  wait_group<0>();
  out[threadIdx.x] = tile[threadIdx.x];
}

// A warp that reads only what it copied needs no more than __syncwarp().
__global__ void copies_of_one_warp(const float4* in, float4* out) {
  __shared__ float4 tile[kThreads];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  commit_group();
  wait_group<0>();
  __syncwarp();
  out[threadIdx.x] = tile[threadIdx.x ^ 31];
}

// Rows beyond the sequence are filled with zeros; their source is not read.
__global__ void zero_filled_tail(const float4* in, float4* out, int rows) {
  __shared__ float4 tile[kThreads];
  const bool exists = threadIdx.x < rows;
  copy_async(&tile[threadIdx.x], &in[exists ? threadIdx.x : 0], exists ? 16 : 0);
  commit_group();
  wait_group<0>();
  __syncthreads();
  out[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}

// cp.async.wait_all waits for copies that are in no group yet.
__global__ void wait_for_all(const float4* in, float4* out) {
  __shared__ float4 tile[kThreads];
  copy_async(&tile[threadIdx.x], &in[threadIdx.x]);
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncthreads();
  out[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}

// The toolkit's own functions, with copies of 4 bytes.
__global__ void pipeline_primitives(const float* in, float* out) {
  __shared__ float tile[2][kThreads];
  __pipeline_memcpy_async(&tile[0][threadIdx.x], &in[threadIdx.x], 4);
  __pipeline_commit();
  __pipeline_memcpy_async(&tile[1][threadIdx.x], &in[kThreads + threadIdx.x], 4);
  __pipeline_commit();
  __pipeline_wait_prior(1);
  __syncthreads();
  float sum = tile[0][kThreads - 1 - threadIdx.x];
  __pipeline_wait_prior(0);
  __syncthreads();
  sum += tile[1][kThreads - 1 - threadIdx.x];
  out[threadIdx.x] = sum;
}

// One warp copies for all; it waits, then hands the tile over by a named barrier.
__global__ void specialised_copying_warp(const float4* in, float4* out, int tiles) {
  __shared__ float4 tile[2][32];
  if (threadIdx.x < 32) {
    for (int i = 0; i < tiles; ++i) {
      if (i >= 2) asm volatile("bar.sync %0, 128;" ::"r"(3 + i % 2) : "memory");
      copy_async(&tile[i % 2][threadIdx.x], &in[i * 32 + threadIdx.x]);
      commit_group();
      wait_group<0>();
      asm volatile("bar.arrive %0, 128;" ::"r"(1 + i % 2) : "memory");
    }
  } else {
    float sum = 0;
    for (int i = 0; i < tiles; ++i) {
      asm volatile("bar.sync %0, 128;" ::"r"(1 + i % 2) : "memory");
      sum += tile[i % 2][31 - threadIdx.x % 32].x;
      if (i + 2 < tiles) asm volatile("bar.arrive %0, 128;" ::"r"(3 + i % 2) : "memory");
    }
    out[threadIdx.x - 32] = {sum, 0, 0, 0};
  }
}

// Registers hold the next tile while the present one is used: one buffer, two barriers.
__global__ void prefetch_in_registers(const float* in, float* out, int tiles) {
  __shared__ float tile[kThreads];
  float next = in[threadIdx.x], sum = 0;
  for (int i = 0; i < tiles; ++i) {
    tile[threadIdx.x] = next;
    __syncthreads();
    if (i + 1 < tiles) next = in[(i + 1) * kThreads + threadIdx.x];
    for (int j = 0; j < 8; ++j) sum += tile[(threadIdx.x + 16 * j) % kThreads];
    __syncthreads();
  }
  out[threadIdx.x] = sum;
}

constexpr Case kCases[] = {
    {"producer_and_consumer", [] { producer_and_consumer<<<1, 128>>>(output<int>(192)); }},
    {"producer_runs_ahead",
     [] { producer_runs_ahead<<<1, 128>>>(input<int>(384), output<int>(384)); }},
    {"one_stage", [] { one_stage<<<1, 128>>>(input<float4>(128), output<float4>(128)); }},
    {"two_stages", [] { two_stages<<<1, 128>>>(input<float4>(512), output<float4>(128), 4); }},
    {"four_stages", [] { four_stages<<<1, 128>>>(input<float4>(768), output<float4>(128), 6); }},
    {"keys_then_values",
     [] { keys_then_values<<<1, 128>>>(input<float4>(256), output<float4>(128)); }},
    {"own_copies", [] { own_copies<<<1, 128>>>(input<float4>(128), output<float4>(128)); }},
    {"copies_of_one_warp",
     [] { copies_of_one_warp<<<1, 128>>>(input<float4>(128), output<float4>(128)); }},
    {"zero_filled_tail",
     [] { zero_filled_tail<<<1, 128>>>(input<float4>(100), output<float4>(128), 100); }},
    {"wait_for_all", [] { wait_for_all<<<1, 128>>>(input<float4>(128), output<float4>(128)); }},
    {"pipeline_primitives",
     [] { pipeline_primitives<<<1, 128>>>(input<float>(256), output<float>(128)); }},
    {"specialised_copying_warp",
     [] { specialised_copying_warp<<<1, 128>>>(input<float4>(160), output<float4>(96), 5); }},
    {"prefetch_in_registers",
     [] { prefetch_in_registers<<<1, 128>>>(input<float>(384), output<float>(128), 3); }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
