// Lab 1, naive attention:  O = softmax(scale * Q K^T) V,  in three kernels, as the formula says.
//
//   scores         S = scale * Q K^T        one thread per score
//   row_softmax    P = softmax(S) by rows   one warp per row
//   weighted_sum   O = P V                  one thread per element of O
//
// S and P are whole N x N matrices in device memory. That is what makes attention memory-bound, and
// what the later labs get rid of: handout 1, section 1.
//
// Bytes moved for one head, where a value that a warp shares moves once, and d is a multiple of 32:
//   Nq (8.25 Nk d + 20 Nk + 4 d)
// 4 for each of two operands and 1/8 for the other two per multiply-add pair; S is read three times
// and written once, P and O are written once.
//
// What to do: fill in the five places marked HINT, then run `make lab1`. Each hint says how many
// lines we needed.
//
// Shapes, all float32, row-major: Q, O [B, H, Nq, d]; K, V [B, H, Nk, d]; S, P [B, H, Nq, Nk].
// Batch and head never mix, so the kernels count rows straight through: row = (b * H + h) * Nq + i
// names one query, and row / Nq = b * H + h says whose keys and values it attends to. Offsets are
// size_t: B * H * Nq * Nk outgrows an int.
#include <flashlab/lab1.h>

#include <cmath>

namespace lab1 {

inline constexpr int kWarp = 32;
inline constexpr int kRowsPerBlock = 8;  // scores and row_softmax: one warp on each of eight rows
inline constexpr int kThreadsPerBlock = 256;  // weighted_sum

constexpr unsigned ceil_div(size_t a, int b) {
  return static_cast<unsigned>((a + b - 1) / b);
}

// Sum of x over the 32 lanes of the warp; every lane gets it. Given, as an example.
__device__ float warp_sum(float x) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, step);
  }
  return x;
}

// Maximum of x over the 32 lanes of the warp; every lane gets it.
__device__ float warp_max(float x) {
  // BEGIN SOLUTION
  // HINT 3 lines: as in warp_sum, but keep the larger value.
  for (int step = kWarp / 2; step > 0; step /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
  }
  // END SOLUTION
  return x;
}

// S[row, j] = scale * (Q[row, :] . K[bh, j, :])
//   grid    (ceil(rows / 8), ceil(Nk / 32))
//   block   (32, 8): threadIdx.x counts keys, threadIdx.y counts rows
//   shared  none
//   bytes   per score: 8 d requested (a row of Q and a row of K), 4 written
// The 32 lanes of a warp share one query, so q[c] is a broadcast, and they write 32 neighbours in
// S, one full line. But each lane walks its own row of K: at every c the warp touches 32 rows,
// which is 32 sectors for 128 useful bytes. Lab 3 loads K as a tile and ends this.
__global__ void scores(const float* Q, const float* K, float* S, int rows, int Nq, int Nk, int d,
                       float scale) {
  // BEGIN SOLUTION
  // HINT 10 lines: find this thread's row and key j; leave if one of them is past the end (N need
  // HINT not be a multiple of the block); one loop over c < d that sums q[c] * k[c]; one store.
  const int row = blockIdx.x * kRowsPerBlock + threadIdx.y;
  const int j = blockIdx.y * kWarp + threadIdx.x;
  if (row >= rows || j >= Nk) return;
  const float* q = Q + static_cast<size_t>(row) * d;
  const float* k = K + (static_cast<size_t>(row / Nq) * Nk + j) * d;
  float dot = 0.0f;
  for (int c = 0; c < d; ++c) {
    dot += q[c] * k[c];
  }
  S[static_cast<size_t>(row) * Nk + j] = scale * dot;
  // END SOLUTION
}

// P[row, j] = exp(S[row, j] - m) / l  with  m = max_j S[row, j]  and  l = sum_j exp(S[row, j] - m)
//   grid    ceil(rows / 8)
//   block   (32, 8): one warp per row; lane x takes j = x, x + 32, x + 64, ...
//   shared  none: the 32 partial results of a row meet in registers
//   bytes   per score: 12 read (S three times: for m, for l, for P), 4 written, all coalesced
// Taking m off changes nothing on paper and everything in float: exp(89) is already infinite. With
// it, the largest term is exp(0) = 1, and l lies between 1 and Nk.
__global__ void row_softmax(const float* S, float* P, int rows, int Nk) {
  // BEGIN SOLUTION
  // HINT 17 lines: find the row; then three loops over this lane's j: the maximum (start it at
  // HINT -INFINITY, for all scores may be negative), then warp_max; the sum of expf(s[j] - m), then
  // HINT warp_sum; the quotients, into P.
  const int row = blockIdx.x * kRowsPerBlock + threadIdx.y;
  if (row >= rows) return;  // the whole warp leaves, so the shuffles below always see 32 lanes
  const float* s = S + static_cast<size_t>(row) * Nk;
  float* p = P + static_cast<size_t>(row) * Nk;
  float m = -INFINITY;
  for (int j = threadIdx.x; j < Nk; j += kWarp) {
    m = fmaxf(m, s[j]);
  }
  m = warp_max(m);
  float l = 0.0f;
  for (int j = threadIdx.x; j < Nk; j += kWarp) {
    l += expf(s[j] - m);
  }
  l = warp_sum(l);
  for (int j = threadIdx.x; j < Nk; j += kWarp) {
    p[j] = expf(s[j] - m) / l;
  }
  // END SOLUTION
}

// O[row, c] = sum_j P[row, j] V[bh, j, c]
//   grid    ceil(rows * d / 256)
//   block   256: neighbouring threads take neighbouring elements of O
//   shared  none
//   bytes   per element: 8 Nk requested (a row of P, a column of V), 4 written
// Lanes run along c, the fastest index of V and O: each step of the loop reads a stretch of one row
// of V, coalesced, and one value of P that the lanes of a row share.
__global__ void weighted_sum(const float* P, const float* V, float* O, int rows, int Nq, int Nk,
                             int d) {
  // BEGIN SOLUTION
  // HINT 11 lines: split this thread's element number into row and c; leave if it is past the end;
  // HINT one loop over j < Nk; one store.
  const size_t element = static_cast<size_t>(blockIdx.x) * kThreadsPerBlock + threadIdx.x;
  if (element >= static_cast<size_t>(rows) * d) return;
  const int row = static_cast<int>(element / d);
  const int c = static_cast<int>(element % d);
  const float* p = P + static_cast<size_t>(row) * Nk;
  const float* v = V + static_cast<size_t>(row / Nq) * Nk * d + c;
  float sum = 0.0f;
  for (int j = 0; j < Nk; ++j) {
    sum += p[j] * v[static_cast<size_t>(j) * d];
  }
  O[element] = sum;
  // END SOLUTION
}

}  // namespace lab1

cudaError_t lab1_naive_attention(const float* Q, const float* K, const float* V, float* O,
                                 flashlab::AttentionShape shape, flashlab::Workspace& workspace,
                                 cudaStream_t stream) {
  using namespace lab1;
  cudaError_t status = cudaErrorNotYetImplemented;
  // BEGIN SOLUTION
  // HINT 13 lines: take S and P from the workspace, by these names (nullptr when they do not fit:
  // HINT return cudaErrorMemoryAllocation); launch the three kernels on `stream` with the grids
  // HINT above; status = cudaGetLastError().
  const int Nq = shape.seq_q, Nk = shape.seq_k, d = shape.head_dim;
  const int rows = shape.batch * shape.heads * Nq;
  float* S = workspace.allocate<float>("S", static_cast<size_t>(rows) * Nk);
  float* P = workspace.allocate<float>("P", static_cast<size_t>(rows) * Nk);
  if (S == nullptr || P == nullptr) return cudaErrorMemoryAllocation;
  const dim3 block(kWarp, kRowsPerBlock);
  const unsigned row_blocks = ceil_div(rows, kRowsPerBlock);
  const dim3 score_blocks(row_blocks, ceil_div(Nk, kWarp));
  const unsigned element_blocks = ceil_div(static_cast<size_t>(rows) * d, kThreadsPerBlock);
  scores<<<score_blocks, block, 0, stream>>>(Q, K, S, rows, Nq, Nk, d, shape.scale);
  row_softmax<<<row_blocks, block, 0, stream>>>(S, P, rows, Nk);
  weighted_sum<<<element_blocks, kThreadsPerBlock, 0, stream>>>(P, V, O, rows, Nq, Nk, d);
  status = cudaGetLastError();
  // END SOLUTION
  return status;
}
