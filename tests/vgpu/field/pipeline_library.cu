// cuda::pipeline and cuda::memcpy_async: a block-wide pipeline of two stages, one with producer and
// consumer warps, one per thread.
#include <cooperative_groups.h>
#include <cuda/barrier>
#include <cuda/pipeline>

#include "field.cuh"

namespace cg = cooperative_groups;

constexpr int kThreads = 128, kStages = 2;

__global__ void block_scope(const int* in, int* out, int batches) {
  const auto block = cg::this_thread_block();
  __shared__ int buffer[kStages][kThreads];
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, kStages> state;
  auto pipeline = cuda::make_pipeline(block, &state);
  int sum = 0;
  for (int compute = 0, fetch = 0; compute < batches; ++compute) {
    for (; fetch < batches && fetch < compute + kStages; ++fetch) {
      pipeline.producer_acquire();
      cuda::memcpy_async(block, buffer[fetch % kStages],
                         in + (blockIdx.x * batches + fetch) * kThreads, sizeof(int) * kThreads,
                         pipeline);
      pipeline.producer_commit();
    }
    pipeline.consumer_wait();
    sum += buffer[compute % kStages][kThreads - 1 - threadIdx.x] * (compute + 1);
    pipeline.consumer_release();
  }
  out[blockIdx.x * kThreads + threadIdx.x] = sum;
}

__global__ void partitioned(const int* in, int* out, int batches) {
  const auto block = cg::this_thread_block();
  __shared__ int buffer[kStages][kThreads / 2];
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, kStages> state;
  const auto role =
      threadIdx.x < kThreads / 2 ? cuda::pipeline_role::producer : cuda::pipeline_role::consumer;
  auto pipeline = cuda::make_pipeline(block, &state, role);
  const int t = threadIdx.x % (kThreads / 2);
  if (role == cuda::pipeline_role::producer) {
    for (int b = 0; b < batches; ++b) {
      pipeline.producer_acquire();
      buffer[b % kStages][t] = in[(blockIdx.x * batches + b) * (kThreads / 2) + t] * 3;
      pipeline.producer_commit();
    }
  } else {
    int sum = 0;
    for (int b = 0; b < batches; ++b) {
      pipeline.consumer_wait();
      sum += buffer[b % kStages][kThreads / 2 - 1 - t];
      pipeline.consumer_release();
    }
    out[blockIdx.x * (kThreads / 2) + t] = sum;
  }
}

__global__ void thread_scope(const int4* in, int4* out, int batches) {
  __shared__ int4 buffer[3][64];
  auto pipeline = cuda::make_pipeline();
  const int t = threadIdx.x;
  int4 sum = {};
  for (int b = 0; b < batches + 2; ++b) {
    if (b < batches) {
      pipeline.producer_acquire();
      cuda::memcpy_async(&buffer[b % 3][t], &in[b * 64 + t], cuda::aligned_size_t<16>(16),
                         pipeline);
      pipeline.producer_commit();
    }
    if (b < 2) continue;
    if (b < batches)
      cuda::pipeline_consumer_wait_prior<2>(pipeline);
    else
      cuda::pipeline_consumer_wait_prior<0>(pipeline);
    const int4 v = buffer[(b - 2) % 3][t];
    sum = {sum.x + v.x, sum.y + v.y, sum.z + v.z, sum.w + v.w};
    pipeline.consumer_release();
  }
  out[t] = sum;
}

int main() {
  const int blocks = 6, batches = 7, n = blocks * batches * kThreads;
  int* in = to_device(random_ints(n, -1000, 1000, 261));
  int* out = device_array<int>(blocks * kThreads);
  block_scope<<<blocks, kThreads>>>(in, out, batches);
  show("block scope", out, blocks * kThreads);
  partitioned<<<blocks, kThreads>>>(in, out, batches);
  show("producers and consumers", out, blocks * kThreads / 2);
  thread_scope<<<1, 64>>>(reinterpret_cast<int4*>(in), reinterpret_cast<int4*>(out), 8);
  show("thread scope", out, 256);
}
