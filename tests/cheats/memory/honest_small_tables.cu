// Small tables outside the workspace: the shape in constant memory, copied there by each call, and
// a table of 2^(i / 64) on the device, from which exp(x) is put together. And an array of each
// thread that is indexed at run time, so that a tile of scores is in local memory.
#include "base.cuh"

using flashlab::AttentionShape;

constexpr int kTile = 32, kSteps = 64;
__constant__ AttentionShape the_shape;
__device__ float powers[kSteps];

__global__ void fill_table() {
  powers[threadIdx.x] = exp2f(threadIdx.x / float{kSteps});
}

/// exp(x) = 2^whole * 2^(index / 64) * exp(rest) with |rest| <= ln 2 / 64; 0 for x far below 0.
__device__ float exponential(float x) {
  if (x < -87.0f) return 0.0f;
  const float scaled = floorf(x * (1.44269504f * kSteps));
  const int steps = static_cast<int>(scaled), index = steps & (kSteps - 1);
  const float rest = fmaf(scaled, -0.6931471805599453f / kSteps, x);
  return ldexpf(powers[index], (steps - index) / kSteps) * (1.0f + expm1f(rest));
}

/// A thread for each query; d <= 128.
__global__ void thread_for_each_query(const float* Q, const float* K, const float* V, float* O,
                                      float* L) {
  const AttentionShape& shape = the_shape;
  const int i = blockIdx.x * blockDim.x + threadIdx.x, Nk = shape.seq_k, d = shape.head_dim;
  if (i >= shape.seq_q) return;
  const size_t row = static_cast<size_t>(blockIdx.y) * shape.seq_q + i;
  K += static_cast<size_t>(blockIdx.y) * Nk * d;
  V += static_cast<size_t>(blockIdx.y) * Nk * d;
  const int keys = shape.causal ? min(Nk, i + Nk - shape.seq_q + 1) : Nk;
  float s[kTile], m = -INFINITY, l = 0.0f;
  for (int c = 0; c < d; ++c) O[row * d + c] = 0.0f;
  for (int first = 0; first < keys; first += kTile) {
    const int tile = min(kTile, keys - first);
    float m_new = m;
    for (int j = 0; j < tile; ++j) {
      s[j] = 0.0f;
      for (int c = 0; c < d; ++c)
        s[j] += Q[row * d + c] * K[static_cast<size_t>(first + j) * d + c];
      s[j] *= shape.scale;
      m_new = fmaxf(m_new, s[j]);
    }
    const float alpha = exponential(m - m_new);
    l *= alpha;
    for (int j = 0; j < tile; ++j) l += s[j] = exponential(s[j] - m_new);
    for (int c = 0; c < d; ++c) {
      float o = alpha * O[row * d + c];
      for (int j = 0; j < tile; ++j) o += s[j] * V[static_cast<size_t>(first + j) * d + c];
      O[row * d + c] = o;
    }
    m = m_new;
  }
  for (int c = 0; c < d && l > 0.0f; ++c) O[row * d + c] /= l;
  L[row] = m + logf(l);
}

ENTRY_HEAD {
  cudaMemcpyToSymbolAsync(the_shape, &shape, sizeof shape, 0, cudaMemcpyHostToDevice, stream);
  fill_table<<<1, kSteps, 0, stream>>>();
  const dim3 grid((shape.seq_q + 31) / 32, shape.batch * shape.heads);
  thread_for_each_query<<<grid, 32, 0, stream>>>(Q, K, V, O, L);
  return cudaGetLastError();
}
