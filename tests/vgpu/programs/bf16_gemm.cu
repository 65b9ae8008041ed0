// C = A B in bfloat16 with float sums, as fast GPU kernels do it: tiles come by cp.async into two
// buffers, go to registers by ldmatrix, and are multiplied by mma.sync.
//
// usage: bf16_gemm [N] [repeats]     N x N matrices, N a multiple of 64 (512); launches (1)
//
// Grid (N / 64, N / 64), 128 threads: a block computes 64 x 64 of C, each of its 4 warps 32 x 32.
// Both tiles lie in shared memory in rows of 16-byte pieces, swizzled: piece p of row r is at p ^
// (r % 8), so the 8 rows that an ldmatrix reads lie in different banks.
#include <cuda_bf16.h>

#include <cstdint>

#include "program.cuh"

constexpr int kTile = 64;  // rows and columns of C in a block, and depth of a step
constexpr int kPiece = 8;  // elements in 16 bytes
constexpr int kThreads = 128;

/// Where element (row, 8 piece) of a 64 x 64 tile lies.
__device__ int swizzled(int row, int piece) {
  return row * kTile + (piece ^ (row % 8)) * kPiece;
}

/// Asks for the 64 x 64 tile at `from`, whose rows are n elements apart.
__device__ void fetch(__nv_bfloat16* to, const __nv_bfloat16* from, int n) {
  for (int i = threadIdx.x; i < kTile * kTile / kPiece; i += kThreads) {
    const int row = i / 8, piece = i % 8;
    const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to + swizzled(row, piece)));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address),
                 "l"(from + static_cast<size_t>(row) * n + piece * kPiece)
                 : "memory");
  }
}

template <bool kTransposed>
__device__ void load_four(uint32_t* d, const __nv_bfloat16* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(address)
                 : "memory");
  }
}

__device__ void multiply_add(float* c, const uint32_t* a, const uint32_t* b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__global__ void __launch_bounds__(kThreads)
    gemm(const __nv_bfloat16* A, const __nv_bfloat16* B, float* C, int n) {
  __shared__ alignas(16) __nv_bfloat16 a_tile[2][kTile * kTile], b_tile[2][kTile * kTile];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int top = warp / 2 * 32, left = warp % 2 * 32;  // of this warp's part
  const __nv_bfloat16* const a_rows = A + static_cast<size_t>(blockIdx.y) * kTile * n;
  const __nv_bfloat16* const b_columns = B + blockIdx.x * kTile;
  float c[2][4][4] = {};  // sums of the 16 x 8 products
  fetch(a_tile[0], a_rows, n);
  fetch(b_tile[0], b_columns, n);
  asm volatile("cp.async.commit_group;" ::: "memory");
  for (int start = 0, buffer = 0; start < n; start += kTile, buffer ^= 1) {
    if (start + kTile < n) {
      fetch(a_tile[buffer ^ 1], a_rows + start + kTile, n);
      fetch(b_tile[buffer ^ 1], b_columns + static_cast<size_t>(start + kTile) * n, n);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
    asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();  // all threads' pieces of this step are there
    for (int k = 0; k < kTile; k += 16) {
      uint32_t a[2][4], b[2][4];
      for (int i = 0; i < 2; ++i) {
        load_four<false>(
            a[i], a_tile[buffer] + swizzled(top + 16 * i + lane % 16, k / kPiece + lane / 16));
        load_four<true>(
            b[i], b_tile[buffer] + swizzled(k + lane % 16, left / kPiece + 2 * i + lane / 16));
      }
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 4; ++j) multiply_add(c[i][j], a[i], &b[j / 2][j % 2 * 2]);
      }
    }
    __syncthreads();  // nobody reads the buffer that the next step fills
  }
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 4; ++j) {
      for (int half = 0; half < 2; ++half) {
        const int row = blockIdx.y * kTile + top + 16 * i + 8 * half + lane / 4;
        const int column = blockIdx.x * kTile + left + 8 * j + lane % 4 * 2;
        *reinterpret_cast<float2*>(C + static_cast<size_t>(row) * n + column) =
            make_float2(c[i][j][2 * half], c[i][j][2 * half + 1]);
      }
    }
  }
}

int main(int argc, char** argv) {
  const int n = argc > 1 ? std::atoi(argv[1]) : 512;
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 1;
  if (n <= 0 || n % kTile != 0 || repeats <= 0) {
    std::printf("usage: %s [N, a multiple of %d] [repeats, at least 1]\n", argv[0], kTile);
    return 2;
  }
  const size_t elements = static_cast<size_t>(n) * n;
  const std::vector<float> a = random_floats(elements, 31), b = random_floats(elements, 32);
  std::vector<__nv_bfloat16> A(elements), B(elements);
  for (size_t i = 0; i < elements; ++i) {
    A[i] = __float2bfloat16(a[i]);
    B[i] = __float2bfloat16(b[i]);
  }
  DeviceArray<__nv_bfloat16> dA(A), dB(B);
  DeviceArray<float> dC(elements);
  for (int repeat = 0; repeat < repeats; ++repeat)
    gemm<<<dim3(n / kTile, n / kTile), kThreads>>>(dA.data(), dB.data(), dC.data(), n);
  finish_kernels();

  // Every element of some rows that lie in different tiles.
  const std::vector<float> C = dC.host();
  std::vector<float> got, want;
  for (int row = 0; row < n; row += 37) {
    for (int column = 0; column < n; ++column) {
      double sum = 0.0;
      for (int k = 0; k < n; ++k) {
        sum += static_cast<double>(__bfloat162float(A[static_cast<size_t>(row) * n + k])) *
               __bfloat162float(B[static_cast<size_t>(k) * n + column]);
      }
      got.push_back(C[static_cast<size_t>(row) * n + column]);
      want.push_back(static_cast<float>(sum));
    }
  }
  expect("C", got, want, 1e-4, 1e-3);
  return verdict();
}
