// Adds up dQ by atomics.
#include "base.cuh"

using corpus::AttentionShape;
using corpus::Correct;
using corpus::Row;

/// One warp for each key, which adds its share to dQ.
template <int d>
__global__ void add_to_dq(const float* Q, const float* K, const float* V, const float* L,
                          const float* D, const float* dO, float* dQ, AttentionShape shape) {
  const int j = blockIdx.x * corpus::kRowsPerBlock + threadIdx.y, bh = blockIdx.y;
  if (j >= shape.seq_k) return;
  const size_t key = static_cast<size_t>(bh) * shape.seq_k + j;
  const Row<d> k = Row<d>::load(K, key), v = Row<d>::load(V, key);
  for (int i = 0; i < shape.seq_q; ++i) {
    const size_t query = static_cast<size_t>(bh) * shape.seq_q + i;
    if (!Correct::sees(i, j, shape)) continue;
    const float s = shape.scale * corpus::dot<Correct>(Row<d>::load(Q, query), k);
    const float dp = corpus::dot<Correct>(Row<d>::load(dO, query), v);
    const float ds = shape.scale * expf(s - L[query]) * (dp - D[query]);
    for (int c = 0; c < d / corpus::kWarp; ++c) {
      atomicAdd(&dQ[query * d + c * corpus::kWarp + threadIdx.x], ds * k.at[c]);
    }
  }
}

template <int d>
cudaError_t launch(const float* Q, const float* K, const float* V, const float* O, const float* L,
                   const float* dO, float* dQ, float* dK, float* dV, AttentionShape shape,
                   flashlab::Workspace& workspace, cudaStream_t stream) {
  const int heads = shape.batch * shape.heads, rows = heads * shape.seq_q;
  float* D = workspace.allocate<float>("D", rows);
  if (D == nullptr) return cudaErrorMemoryAllocation;
  const dim3 block(corpus::kWarp, corpus::kRowsPerBlock), grid(Correct::blocks(shape.seq_k), heads);
  corpus::row_dot<d><<<Correct::blocks(rows), block, 0, stream>>>(dO, O, D, rows);
  corpus::key_gradients<Correct, d><<<grid, block, 0, stream>>>(Q, K, V, L, D, dO, dK, dV, shape);
  cudaMemsetAsync(dQ, 0, sizeof(float) * rows * d, stream);
  add_to_dq<d><<<grid, block, 0, stream>>>(Q, K, V, L, D, dO, dQ, shape);
  return cudaGetLastError();
}

CORPUS_ENTRY_HEAD {
  const auto launch_for = shape.head_dim == 32   ? launch<32>
                          : shape.head_dim == 64 ? launch<64>
                                                 : launch<128>;
  return launch_for(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace, stream);
}
