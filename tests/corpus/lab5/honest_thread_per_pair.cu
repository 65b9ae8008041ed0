// One thread for each pair of query and key, no shared memory; every term goes to its sum by an
// atomic, and D is computed by every thread anew.
#include <flashlab/lab5.h>

#include <cmath>

/// Grid (ceil(Nk / 32), ceil(Nq / 4), B H), block (32, 4).
__global__ void pairs(const float* Q, const float* K, const float* V, const float* O,
                      const float* L, const float* dO, float* dQ, float* dK, float* dV,
                      flashlab::AttentionShape shape) {
  const int j = blockIdx.x * 32 + threadIdx.x, i = blockIdx.y * 4 + threadIdx.y;
  if (i >= shape.seq_q || j >= shape.seq_k) return;
  if (shape.causal && j > i + shape.seq_k - shape.seq_q) return;
  const int d = shape.head_dim;
  const size_t row = static_cast<size_t>(blockIdx.z) * shape.seq_q + i, query = row * d;
  const size_t key = (static_cast<size_t>(blockIdx.z) * shape.seq_k + j) * d;
  float s = 0.0f, dp = 0.0f, D = 0.0f;
  for (int c = 0; c < d; ++c) {
    s += Q[query + c] * K[key + c];
    dp += dO[query + c] * V[key + c];
    D += dO[query + c] * O[query + c];
  }
  const float p = expf(shape.scale * s - L[row]), ds = shape.scale * p * (dp - D);
  for (int c = 0; c < d; ++c) {
    atomicAdd(&dV[key + c], p * dO[query + c]);
    atomicAdd(&dK[key + c], ds * Q[query + c]);
    atomicAdd(&dQ[query + c], ds * K[key + c]);
  }
}

cudaError_t lab5_flash_attention_backward(const float* Q, const float* K, const float* V,
                                          const float* O, const float* L, const float* dO,
                                          float* dQ, float* dK, float* dV,
                                          flashlab::AttentionShape shape, flashlab::Workspace&,
                                          cudaStream_t stream) {
  const int heads = shape.batch * shape.heads;
  const size_t row_bytes = heads * shape.head_dim * sizeof(float);
  cudaMemsetAsync(dQ, 0, shape.seq_q * row_bytes, stream);
  cudaMemsetAsync(dK, 0, shape.seq_k * row_bytes, stream);
  cudaMemsetAsync(dV, 0, shape.seq_k * row_bytes, stream);
  const dim3 grid((shape.seq_k + 31) / 32, (shape.seq_q + 3) / 4, heads);
  pairs<<<grid, dim3(32, 4), 0, stream>>>(Q, K, V, O, L, dO, dQ, dK, dV, shape);
  return cudaGetLastError();
}
