// Float64 inside, and no online softmax: one pass over the keys finds the maximum, a second one
// sums.
#include "base.cuh"

/// Grid (ceil(Nq / 64), B H), block 64: one thread for each query.
__global__ void in_double(const float* Q, const float* K, const float* V, float* O, float* L,
                          corpus::AttentionShape shape) {
  const int i = blockIdx.x * 64 + threadIdx.x, bh = blockIdx.y, d = shape.head_dim;
  if (i >= shape.seq_q) return;
  const float* q = Q + (static_cast<size_t>(bh) * shape.seq_q + i) * d;
  const float* k = K + static_cast<size_t>(bh) * shape.seq_k * d;
  const float* v = V + static_cast<size_t>(bh) * shape.seq_k * d;
  const int keys = shape.causal ? i + shape.seq_k - shape.seq_q + 1 : shape.seq_k;
  const auto score = [&](int j) {
    double dot = 0.0;
    for (int c = 0; c < d; ++c)
      dot += static_cast<double>(q[c]) * k[static_cast<size_t>(j) * d + c];
    return dot * shape.scale;
  };
  double m = -INFINITY, l = 0.0, o[128] = {};
  for (int j = 0; j < keys; ++j) m = fmax(m, score(j));
  for (int j = 0; j < keys; ++j) {
    const double p = exp(score(j) - m);
    l += p;
    for (int c = 0; c < d; ++c) o[c] += p * v[static_cast<size_t>(j) * d + c];
  }
  const size_t row = static_cast<size_t>(bh) * shape.seq_q + i;
  for (int c = 0; c < d; ++c) O[row * d + c] = static_cast<float>(l > 0.0 ? o[c] / l : 0.0);
  L[row] = static_cast<float>(m + log(l));
}

CORPUS_ENTRY_HEAD {
  const dim3 grid((shape.seq_q + 63) / 64, shape.batch * shape.heads);
  in_double<<<grid, 64, 0, stream>>>(Q, K, V, O, L, shape);
  return cudaGetLastError();
}
