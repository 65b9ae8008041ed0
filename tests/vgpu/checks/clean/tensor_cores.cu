// Correct kernels for tensor cores: whole fragments are loaded and stored by a warp at a time. No
// check may report anything about them. Small integers make exact sums.
#include <cuda_fp16.h>
#include <mma.h>

#include "../async_copy.cuh"
#include "../cases.cuh"

using namespace nvcuda;

using MatrixA = wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major>;
using MatrixB = wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::col_major>;
using Sum = wmma::fragment<wmma::accumulator, 16, 16, 16, float>;

// S = Q K^T for 64 queries, 16 keys and d = 64; each of four warps has 16 queries.
__global__ void wmma_from_global(const __half* q, const __half* k, float* s) {
  const int warp = threadIdx.x / 32;
  MatrixA a;
  MatrixB b;
  Sum sum;
  wmma::fill_fragment(sum, 0.0f);
  for (int d = 0; d < 64; d += 16) {
    wmma::load_matrix_sync(a, q + warp * 16 * 64 + d, 64);
    wmma::load_matrix_sync(b, k + d, 64);
    wmma::mma_sync(sum, a, b, sum);
  }
  wmma::store_matrix_sync(s + warp * 256, sum, 16, wmma::mem_row_major);
}

// The same from padded tiles; scores go through shared memory, each warp's own part of it.
__global__ void wmma_through_shared(const __half* q, const __half* k, float* s) {
  __shared__ __align__(32) __half queries[64][72], keys[16][72];
  __shared__ __align__(32) float scores[4][16][20];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int i = threadIdx.x; i < 64 * 64; i += 128) queries[i / 64][i % 64] = q[i];
  for (int i = threadIdx.x; i < 16 * 64; i += 128) keys[i / 64][i % 64] = k[i];
  __syncthreads();
  MatrixA a;
  MatrixB b;
  Sum sum;
  wmma::fill_fragment(sum, 0.0f);
  for (int d = 0; d < 64; d += 16) {
    wmma::load_matrix_sync(a, &queries[warp * 16][d], 72);
    wmma::load_matrix_sync(b, &keys[0][d], 72);
    wmma::mma_sync(sum, a, b, sum);
  }
  wmma::store_matrix_sync(&scores[warp][0][0], sum, 20, wmma::mem_row_major);
  __syncwarp();
  for (int i = lane; i < 256; i += 32) s[warp * 256 + i] = scores[warp][i / 16][i % 16];
}

__device__ void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Tiles of 16 x 64 halves whose pieces of 16 bytes are swizzled, filled by cp.async and read by
// ldmatrix; two warps share them and take 8 keys each.
__global__ void mma_from_swizzled_tiles(const __half* q, const __half* k, float* s) {
  __shared__ __align__(16) __half queries[16 * 64], keys[16 * 64];
  const auto piece = [](__half* tile, int row, int p) {
    return tile + row * 64 + (p ^ row % 8) * 8;
  };
  const int t = threadIdx.x, warp = t / 32, lane = t % 32;
  for (int i = t; i < 128; i += 64) {
    copy_async(piece(queries, i / 8, i % 8), q + i * 8);
    copy_async(piece(keys, i / 8, i % 8), k + i * 8);
  }
  commit_group();
  wait_group<0>();
  __syncthreads();
  float sum[4] = {};
  for (int d = 0; d < 64; d += 16) {
    uint32_t a[4], b[2];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
                 : "r"(shared_address(piece(queries, lane % 16, d / 8 + lane / 16))));
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(b[0]), "=r"(b[1])
                 : "r"(shared_address(piece(keys, warp * 8 + lane % 8, d / 8 + lane / 8 % 2))));
    multiply(sum, a, b);
  }
  for (int i = 0; i < 4; ++i)
    s[(lane / 4 + i / 2 * 8) * 16 + warp * 8 + lane % 4 * 2 + i % 2] = sum[i];
}

// Probabilities stay in registers from one product to the next; the shuffles of a row's sum run in
// quads of lanes.
__global__ void row_sums_of_fragments(const __half* q, const __half* k, float* sums) {
  const int lane = threadIdx.x, row = lane / 4, column = lane % 4 * 2;
  const auto pair = [](const __half* at) { return *reinterpret_cast<const uint32_t*>(at); };
  float score[4] = {};
  for (int d = 0; d < 64; d += 16) {
    const __half* const upper = q + row * 64 + d + column;
    const __half* const key = k + row * 64 + d + column;
    const uint32_t a[4] = {pair(upper), pair(upper + 512), pair(upper + 8), pair(upper + 520)};
    const uint32_t b[2] = {pair(key), pair(key + 8)};
    multiply(score, a, b);
  }
  for (int half = 0; half < 2; ++half) {
    float sum = score[2 * half] + score[2 * half + 1];
    sum += __shfl_xor_sync(~0u, sum, 1);
    sum += __shfl_xor_sync(~0u, sum, 2);
    if (lane % 4 == 0) sums[row + half * 8] = sum;
  }
}

constexpr Case kCases[] = {
    {"wmma_from_global",
     [] {
       wmma_from_global<<<1, 128>>>(input<__half, __half>(4096), input<__half, __half>(1024),
                                    output<float>(1024));
     }},
    {"wmma_through_shared",
     [] {
       wmma_through_shared<<<1, 128>>>(input<__half, __half>(4096), input<__half, __half>(1024),
                                       output<float>(1024));
     }},
    {"mma_from_swizzled_tiles",
     [] {
       mma_from_swizzled_tiles<<<1, 64>>>(input<__half, __half>(1024), input<__half, __half>(1024),
                                          output<float>(256));
     }},
    {"row_sums_of_fragments",
     [] {
       row_sums_of_fragments<<<1, 32>>>(input<__half, __half>(1024), input<__half, __half>(1024),
                                        output<float>(16));
     }},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
