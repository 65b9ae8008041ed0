// mbarrier as compute_90 has it: a ring of buffers between one producer warp and three consumers
// with parity waits, by inline PTX and by cuda::barrier; stmatrix beside it.

// nvcc: -arch=compute_90

#include <cuda/barrier>

#include "field.cuh"

__device__ uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

__device__ void wait_parity(uint64_t* barrier, uint32_t parity) {
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@done bra finished;\n"
      "bra again;\n"
      "finished:\n"
      "}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}
__device__ void arrive(uint64_t* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
               : "memory");
}

__global__ void ring(const int* in, int* out, int rounds) {
  constexpr int kStages = 3;
  __shared__ uint64_t full[kStages], empty[kStages];
  __shared__ int buffer[kStages][32];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; ++s) {
      asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&full[s])),
                   "r"(32));
      asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&empty[s])),
                   "r"(96));
    }
  }
  __syncthreads();
  int sum = 0;
  for (int r = 0; r < rounds; ++r) {
    const int s = r % kStages, parity = r / kStages % 2;
    if (warp == 0) {
      wait_parity(&empty[s], parity ^ 1);
      buffer[s][lane] = in[r * 32 + lane];
      arrive(&full[s]);
    } else {
      wait_parity(&full[s], parity);
      sum += buffer[s][(lane + warp) % 32] * warp;
      arrive(&empty[s]);
    }
  }
  out[threadIdx.x] = sum;
}

__global__ void library(const int* in, int* out) {
  using Barrier = cuda::barrier<cuda::thread_scope_block>;
  __shared__ Barrier barrier;
  __shared__ int data[128];
  if (threadIdx.x == 0) init(&barrier, blockDim.x);
  __syncthreads();
  int value = in[threadIdx.x];
  for (int k = 0; k < 6; ++k) {
    data[threadIdx.x] = value;
    barrier.arrive_and_wait();
    value += data[(threadIdx.x * 5 + k) % 128];
    barrier.wait(barrier.arrive());
  }
  out[threadIdx.x] = value;
}

__global__ void store_matrix(const uint32_t* in, uint16_t* out) {
  __shared__ alignas(16) uint16_t tile[2][4][64];
  const int lane = threadIdx.x;
  const uint32_t r[4] = {in[lane], in[32 + lane], in[64 + lane], in[96 + lane]};
  const uint32_t row = shared_address(&tile[0][lane / 8][lane % 8 * 8]);
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1,%2,%3,%4};" ::"r"(row),
               "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
               : "memory");
  const uint32_t other = shared_address(&tile[1][lane / 8 % 2][lane % 8 * 8]);
  asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1,%2};" ::"r"(other),
               "r"(r[2]), "r"(r[3])
               : "memory");
  __syncwarp();
  for (int i = lane; i < 256; i += 32) out[i] = tile[0][i / 64][i % 64];
  for (int i = lane; i < 128; i += 32) out[256 + i] = tile[1][i / 64][i % 64];
}

int main() {
  int* in = to_device(random_ints(1024, -1000, 1000, 291));
  int* out = device_array<int>(128);
  ring<<<1, 128>>>(in, out, 20);
  show("ring", out, 128);
  library<<<1, 128>>>(in, out);
  show("library", out, 128);
  uint16_t* tiles = device_array<uint16_t>(384);
  store_matrix<<<1, 32>>>(reinterpret_cast<uint32_t*>(in), tiles);
  show("stmatrix", tiles, 384);
}
