// A correct kernel for lab 1 that is easy to read, and what the programs of this folder do instead.
// test_hostile.py puts this text in the place of its #include: a submission is one file.
#include <flashlab/lab1.h>

#include <cmath>
#include <vector>

namespace {

constexpr int kThreads = 128;

size_t elements(flashlab::AttentionShape shape) {
  return size_t(shape.batch) * shape.heads * shape.seq_q * shape.head_dim;
}
unsigned blocks(flashlab::AttentionShape shape) {
  return static_cast<unsigned>((elements(shape) + kThreads - 1) / kThreads);
}

/// O = softmax(scale * Q K^T) V, one thread for each query, d <= 128.
__global__ void attention(const float* Q, const float* K, const float* V, float* O,
                          flashlab::AttentionShape shape) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x, d = shape.head_dim;
  if (row >= shape.batch * shape.heads * shape.seq_q) return;
  const size_t first = size_t(row / shape.seq_q) * shape.seq_k;
  float m = -INFINITY, l = 0.0f, o[128] = {};
  for (int j = 0; j < shape.seq_k; ++j) {
    float s = 0.0f;
    for (int c = 0; c < d; ++c) s += Q[size_t(row) * d + c] * K[(first + j) * d + c];
    const float m_new = fmaxf(m, s *= shape.scale), old = expf(m - m_new), p = expf(s - m_new);
    l = l * old + p;
    for (int c = 0; c < d; ++c) o[c] = o[c] * old + p * V[(first + j) * d + c];
    m = m_new;
  }
  for (int c = 0; c < d; ++c) O[size_t(row) * d + c] = o[c] / l;
}

__global__ void fill(float* x, size_t n, float value) {
  const size_t i = blockIdx.x * size_t(kThreads) + threadIdx.x;
  if (i < n) x[i] = value;
}

/// The right result.
[[maybe_unused]] cudaError_t run(const float* Q, const float* K, const float* V, float* O,
                                 flashlab::AttentionShape shape, cudaStream_t stream) {
  const int rows = shape.batch * shape.heads * shape.seq_q;
  attention<<<(rows + kThreads - 1) / kThreads, kThreads, 0, stream>>>(Q, K, V, O, shape);
  return cudaGetLastError();
}

/// A wrong result.
[[maybe_unused]] cudaError_t zeros(float* O, flashlab::AttentionShape shape, cudaStream_t stream) {
  fill<<<blocks(shape), kThreads, 0, stream>>>(O, elements(shape), 0.0f);
  return cudaGetLastError();
}

/// The right result without a kernel.
[[maybe_unused]] cudaError_t on_the_cpu(const float* Q, const float* K, const float* V, float* O,
                                        flashlab::AttentionShape shape) {
  const int Nq = shape.seq_q, Nk = shape.seq_k, d = shape.head_dim, BH = shape.batch * shape.heads;
  std::vector<float> q(elements(shape)), k(size_t(BH) * Nk * d), v(k.size()), o(q.size());
  cudaMemcpy(q.data(), Q, q.size() * sizeof(float), cudaMemcpyDeviceToHost);
  cudaMemcpy(k.data(), K, k.size() * sizeof(float), cudaMemcpyDeviceToHost);
  cudaMemcpy(v.data(), V, v.size() * sizeof(float), cudaMemcpyDeviceToHost);
  std::vector<double> s(Nk);
  for (int row = 0; row < BH * Nq; ++row) {
    const size_t first = size_t(row / Nq) * Nk;
    double m = -INFINITY, l = 0.0;
    for (int j = 0; j < Nk; ++j) {
      s[j] = 0.0;
      for (int c = 0; c < d; ++c) s[j] += double(q[size_t(row) * d + c]) * k[(first + j) * d + c];
      m = std::fmax(m, s[j] *= shape.scale);
    }
    for (int j = 0; j < Nk; ++j) l += s[j] = std::exp(s[j] - m);
    for (int c = 0; c < d; ++c) {
      double sum = 0.0;
      for (int j = 0; j < Nk; ++j) sum += s[j] / l * v[(first + j) * d + c];
      o[size_t(row) * d + c] = float(sum);
    }
  }
  return cudaMemcpy(O, o.data(), o.size() * sizeof(float), cudaMemcpyHostToDevice);
}

}  // namespace

/// The head of the entry point.
#define ENTRY                                                                                   \
  cudaError_t lab1_naive_attention(                                                             \
      const float* Q, const float* K, const float* V, float* O, flashlab::AttentionShape shape, \
      [[maybe_unused]] flashlab::Workspace& workspace, cudaStream_t stream)
