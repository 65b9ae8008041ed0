// float64 inside: one thread for each row of a gradient, which keeps its sums in registers and
// works out D for itself.
#include <flashlab/lab5.h>

#include <cmath>

using flashlab::AttentionShape;

/// P and dS of one pair of rows.
struct Pair {
  double p, ds;
};

template <int d>
__device__ Pair weights(const float* q, const float* k, const float* v, const float* o,
                        const float* d_o, float L, double scale) {
  double s = 0.0, dp = 0.0, D = 0.0;
  for (int c = 0; c < d; ++c) {
    s += static_cast<double>(q[c]) * k[c];
    dp += static_cast<double>(d_o[c]) * v[c];
    D += static_cast<double>(d_o[c]) * o[c];
  }
  const double p = exp(scale * s - L);
  return {p, p * (dp - D)};
}

/// Grid (ceil(max(Nq, Nk) / 64), B H), block 64: thread n owns row n of dQ, dK and dV.
template <int d>
__global__ void gradients(const float* Q, const float* K, const float* V, const float* O,
                          const float* L, const float* dO, float* dQ, float* dK, float* dV,
                          AttentionShape shape) {
  const int n = blockIdx.x * 64 + threadIdx.x, offset = shape.seq_k - shape.seq_q;
  const size_t queries = static_cast<size_t>(blockIdx.y) * shape.seq_q;
  const size_t keys = static_cast<size_t>(blockIdx.y) * shape.seq_k;
  const auto pair = [&](int i, int j) {
    const size_t query = (queries + i) * d, key = (keys + j) * d;
    return weights<d>(Q + query, K + key, V + key, O + query, dO + query, L[queries + i],
                      shape.scale);
  };
  if (n < shape.seq_k) {
    double dk[d] = {}, dv[d] = {};
    for (int i = shape.causal ? max(0, n - offset) : 0; i < shape.seq_q; ++i) {
      const Pair weight = pair(i, n);
      for (int c = 0; c < d; ++c) {
        dv[c] += weight.p * dO[(queries + i) * d + c];
        dk[c] += weight.ds * Q[(queries + i) * d + c];
      }
    }
    for (int c = 0; c < d; ++c) {
      dV[(keys + n) * d + c] = static_cast<float>(dv[c]);
      dK[(keys + n) * d + c] = static_cast<float>(shape.scale * dk[c]);
    }
  }
  if (n < shape.seq_q) {
    double dq[d] = {};
    for (int j = 0; j < (shape.causal ? n + offset + 1 : shape.seq_k); ++j) {
      const Pair weight = pair(n, j);
      for (int c = 0; c < d; ++c) dq[c] += weight.ds * K[(keys + j) * d + c];
    }
    for (int c = 0; c < d; ++c) {
      dQ[(queries + n) * d + c] = static_cast<float>(shape.scale * dq[c]);
    }
  }
}

cudaError_t lab5_flash_attention_backward(const float* Q, const float* K, const float* V,
                                          const float* O, const float* L, const float* dO,
                                          float* dQ, float* dK, float* dV, AttentionShape shape,
                                          flashlab::Workspace&, cudaStream_t stream) {
  const dim3 grid((max(shape.seq_q, shape.seq_k) + 63) / 64, shape.batch * shape.heads);
  const auto kernel = shape.head_dim == 32   ? gradients<32>
                      : shape.head_dim == 64 ? gradients<64>
                                             : gradients<128>;
  kernel<<<grid, 64, 0, stream>>>(Q, K, V, O, L, dO, dQ, dK, dV, shape);
  return cudaGetLastError();
}
