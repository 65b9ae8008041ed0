// The inner loop of a serious half-precision GEMM by inline PTX: cp.async ring of three stages,
// ldmatrix (plain and transposed), swizzled shared memory, mma.sync m16n8k16, two output types.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "field.cuh"

constexpr int BM = 64, BN = 64, BK = 32, kStages = 3;

__device__ uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

__device__ void copy16(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(shared_address(to)),
               "l"(from));
}

// 16-byte pieces of a row lie in the order piece ^ (row / 2 % 4): no bank conflicts for ldmatrix.
__device__ int swizzle_a(int row, int col) {
  return row * BK + ((col / 8) ^ (row / 2 % 4)) * 8 + col % 8;
}
__device__ int swizzle_b(int row, int col) {
  return row * BN + ((col / 8) ^ (row % 8)) * 8 + col % 8;
}

__global__ void __launch_bounds__(128) gemm(const half* a, const half* b, float* c, int n) {
  __shared__ alignas(16) half as[kStages][BM * BK], bs[kStages][BK * BN];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, wr = warp / 2 * 32,
            wc = warp % 2 * 32;
  const auto fetch = [&](int stage, int k) {
    for (int i = threadIdx.x; i < BM * BK / 8; i += 128) {
      const int row = i / (BK / 8), col = i % (BK / 8) * 8;
      copy16(&as[stage][swizzle_a(row, col)], &a[(blockIdx.y * BM + row) * n + k + col]);
    }
    for (int i = threadIdx.x; i < BK * BN / 8; i += 128) {
      const int row = i / (BN / 8), col = i % (BN / 8) * 8;
      copy16(&bs[stage][swizzle_b(row, col)], &b[(k + row) * n + blockIdx.x * BN + col]);
    }
  };
  float sum[2][4][4] = {};
  const int steps = n / BK;
  for (int s = 0; s < kStages - 1; ++s) {
    if (s < steps) fetch(s, s * BK);
    asm volatile("cp.async.commit_group;");
  }
  for (int step = 0; step < steps; ++step) {
    asm volatile("cp.async.wait_group %0;" ::"n"(kStages - 2));
    __syncthreads();
    const int next = step + kStages - 1;
    if (next < steps) fetch(next % kStages, next * BK);
    asm volatile("cp.async.commit_group;");
    const half* at = as[step % kStages];
    const half* bt = bs[step % kStages];
#pragma unroll
    for (int k = 0; k < BK; k += 16) {
      uint32_t fa[2][4], fb[4][2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const uint32_t address =
            shared_address(&at[swizzle_a(wr + 16 * i + lane % 16, k + lane / 16 * 8)]);
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(fa[i][0]), "=r"(fa[i][1]), "=r"(fa[i][2]), "=r"(fa[i][3])
                     : "r"(address));
      }
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const uint32_t address = shared_address(&bt[swizzle_b(k + lane % 16, wc + 8 * j)]);
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                     : "=r"(fb[j][0]), "=r"(fb[j][1])
                     : "r"(address));
      }
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j)
          asm volatile(
              "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
              "{%8,%9}, {%0,%1,%2,%3};"
              : "+f"(sum[i][j][0]), "+f"(sum[i][j][1]), "+f"(sum[i][j][2]), "+f"(sum[i][j][3])
              : "r"(fa[i][0]), "r"(fa[i][1]), "r"(fa[i][2]), "r"(fa[i][3]), "r"(fb[j][0]),
                "r"(fb[j][1]));
    }
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int half_row = 0; half_row < 2; ++half_row) {
        const int row = blockIdx.y * BM + wr + 16 * i + lane / 4 + 8 * half_row,
                  col = blockIdx.x * BN + wc + 8 * j + lane % 4 * 2;
        *reinterpret_cast<float2*>(&c[row * n + col]) =
            make_float2(sum[i][j][2 * half_row], sum[i][j][2 * half_row + 1]);
      }
}

// tf32 and bfloat16 fragments straight from global memory, one warp.
__global__ void other_types(const float* a, const float* b, const __nv_bfloat16* ab,
                            const __nv_bfloat16* bb, float* c) {
  const int group = threadIdx.x / 4, in_group = threadIdx.x % 4;
  float d[4] = {}, e[4] = {};
  uint32_t fa[4], fb[2];
  for (int r = 0; r < 4; ++r)
    fa[r] = __float_as_uint(a[(group + r % 2 * 8) * 8 + in_group + r / 2 * 4]);
  for (int r = 0; r < 2; ++r) fb[r] = __float_as_uint(b[(in_group + r * 4) * 8 + group]);
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
  const auto pair = [](const __nv_bfloat16* p, int stride) {
    const __nv_bfloat162 two{p[0], p[stride]};
    return *reinterpret_cast<const uint32_t*>(&two);
  };
  for (int r = 0; r < 2; ++r) fa[r] = pair(ab + (group + r * 8) * 8 + in_group * 2, 1);
  fb[0] = pair(bb + in_group * 2 * 8 + group, 8);
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
      "{%0,%1,%2,%3};"
      : "+f"(e[0]), "+f"(e[1]), "+f"(e[2]), "+f"(e[3])
      : "r"(fa[0]), "r"(fa[1]), "r"(fb[0]));
  for (int r = 0; r < 4; ++r)
    c[(group + r / 2 * 8) * 8 + in_group * 2 + r % 2] = d[r] + 1000 * e[r];
}

int main() {
  const int n = 256;
  std::vector<half> ha, hb;
  for (const int x : random_ints(n * n, -6, 6, 121))
    ha.push_back(__float2half(static_cast<float>(x)));
  for (const int x : random_ints(n * n, -6, 6, 122))
    hb.push_back(__float2half(static_cast<float>(x)));
  float* c = device_array<float>(n * n);
  gemm<<<dim3(n / BN, n / BM), 128>>>(to_device(ha), to_device(hb), c, n);
  show("cp.async, ldmatrix, mma", c, n * n);
  std::vector<__nv_bfloat16> ba, bb;
  for (const int x : random_ints(128, -9, 9, 123))
    ba.push_back(__float2bfloat16(static_cast<float>(x)));
  for (const int x : random_ints(64, -9, 9, 124))
    bb.push_back(__float2bfloat16(static_cast<float>(x)));
  other_types<<<1, 32>>>(to_device(random_whole<float>(128, -9, 9, 125)),
                         to_device(random_whole<float>(64, -9, 9, 126)), to_device(ba),
                         to_device(bb), c);
  show("tf32 and bfloat16", c, 128);
}
