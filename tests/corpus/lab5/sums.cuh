// A backward pass whose dQ is added up in memory by the warps that own a key, with a seam for how.
#pragma once

#include "base.cuh"

namespace corpus {

/// How a term is added to dQ, and whether dQ is set to 0 before.
struct ByAtomics {
  static constexpr bool kClears = true;
  static __device__ void add(float* sum, float term) { atomicAdd(sum, term); }
};

/// One warp for each key, which adds its share to dQ.
template <class Sum, int d>
__global__ void add_to_dq(const float* Q, const float* K, const float* V, const float* L,
                          const float* D, const float* dO, float* dQ, AttentionShape shape) {
  const int j = blockIdx.x * kRowsPerBlock + threadIdx.y, bh = blockIdx.y;
  if (j >= shape.seq_k) return;
  const size_t key = static_cast<size_t>(bh) * shape.seq_k + j;
  const Row<d> k = Row<d>::load(K, key), v = Row<d>::load(V, key);
  for (int i = 0; i < shape.seq_q; ++i) {
    const size_t query = static_cast<size_t>(bh) * shape.seq_q + i;
    if (!Correct::sees(i, j, shape)) continue;
    const float s = shape.scale * dot<Correct>(Row<d>::load(Q, query), k);
    const float dp = dot<Correct>(Row<d>::load(dO, query), v);
    const float ds = shape.scale * expf(s - L[query]) * (dp - D[query]);
    for (int c = 0; c < d / kWarp; ++c) {
      Sum::add(&dQ[query * d + c * kWarp + threadIdx.x], ds * k.at[c]);
    }
  }
}

template <class Sum, int d>
cudaError_t launch_with_sum(const float* Q, const float* K, const float* V, const float* O,
                            const float* L, const float* dO, float* dQ, float* dK, float* dV,
                            AttentionShape shape, Workspace& workspace, cudaStream_t stream) {
  const int heads = shape.batch * shape.heads, rows = heads * shape.seq_q;
  float* D = workspace.allocate<float>("D", rows);
  if (D == nullptr) return cudaErrorMemoryAllocation;
  const dim3 block(kWarp, kRowsPerBlock), grid(Correct::blocks(shape.seq_k), heads);
  row_dot<d><<<Correct::blocks(rows), block, 0, stream>>>(dO, O, D, rows);
  key_gradients<Correct, d><<<grid, block, 0, stream>>>(Q, K, V, L, D, dO, dK, dV, shape);
  if (Sum::kClears) cudaMemsetAsync(dQ, 0, sizeof(float) * rows * d, stream);
  add_to_dq<Sum, d><<<grid, block, 0, stream>>>(Q, K, V, L, D, dO, dQ, shape);
  return cudaGetLastError();
}

}  // namespace corpus

/// The whole entry point, for the files that say how dQ is added up.
#define CORPUS_ENTRY_WITH_SUM(Sum)                                                      \
  CORPUS_ENTRY_HEAD {                                                                   \
    const auto launch_for = shape.head_dim == 32   ? corpus::launch_with_sum<Sum, 32>   \
                            : shape.head_dim == 64 ? corpus::launch_with_sum<Sum, 64>   \
                                                   : corpus::launch_with_sum<Sum, 128>; \
    return launch_for(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace, stream);         \
  }
