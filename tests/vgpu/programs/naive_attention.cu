// Attention in three kernels, one head, d = 64: scores, a softmax with one block per row, and the
// weighted sum. N from the command line, 130 unless told.
#include "program.cuh"

constexpr int kDim = 64, kThreads = 128;

__global__ void qkt(const float* Q, const float* K, float* S, int N, float scale) {
  const int j = blockIdx.x * blockDim.x + threadIdx.x, i = blockIdx.y * blockDim.y + threadIdx.y;
  if (i >= N || j >= N) return;
  float sum = 0.0f;
  for (int c = 0; c < kDim; ++c) sum += Q[i * kDim + c] * K[j * kDim + c];
  S[i * N + j] = sum * scale;
}

template <class Combine>
__device__ float over_block(float x, Combine combine) {
  __shared__ float of_warp[kThreads / 32];
  for (int step = 16; step > 0; step /= 2) x = combine(x, __shfl_xor_sync(0xffffffffu, x, step));
  __syncthreads();  // the values of an earlier call have been read
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
  __syncthreads();  // every warp has written
  x = of_warp[0];
  for (int w = 1; w < kThreads / 32; ++w) x = combine(x, of_warp[w]);
  return x;
}

__global__ void softmax(float* S, int N) {
  float* s = S + blockIdx.x * N;
  float m = -INFINITY, l = 0.0f;
  for (int j = threadIdx.x; j < N; j += kThreads) m = fmaxf(m, s[j]);
  m = over_block(m, [](float a, float b) { return fmaxf(a, b); });
  for (int j = threadIdx.x; j < N; j += kThreads) l += s[j] = expf(s[j] - m);
  l = over_block(l, [](float a, float b) { return a + b; });
  for (int j = threadIdx.x; j < N; j += kThreads) s[j] /= l;
}

__global__ void pv(const float* P, const float* V, float* O, int N) {
  const int i = blockIdx.x, c = threadIdx.x;
  float sum = 0.0f;
  for (int j = 0; j < N; ++j) sum += P[i * N + j] * V[j * kDim + c];
  O[i * kDim + c] = sum;
}

int main(int argc, char** argv) {
  const int N = argc > 1 ? std::atoi(argv[1]) : 130;
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 1;
  if (N <= 0 || repeats <= 0) {
    std::printf("usage: %s [N] [repeats]\n", argv[0]);
    return 2;
  }
  std::vector<float> Q = random_floats(N * kDim, 24);
  const std::vector<float> K = random_floats(N * kDim, 25), V = random_floats(N * kDim, 26);
  for (float& x : Q) x *= 50.0f;  // scores beyond 88: only a softmax with the maximum survives
  DeviceArray<float> dQ(Q), dK(K), dV(V), dO(N * kDim), S(static_cast<size_t>(N) * N);
  const dim3 tiles((N + 31) / 32, (N + 7) / 8);
  for (int repeat = 0; repeat < repeats; ++repeat) {
    qkt<<<tiles, dim3(32, 8)>>>(dQ.data(), dK.data(), S.data(), N, 1.0f);
    softmax<<<N, kThreads>>>(S.data(), N);
    pv<<<N, kDim>>>(S.data(), dV.data(), dO.data(), N);
  }
  finish_kernels();

  std::vector<float> want(N * kDim);
  std::vector<double> s(N);
  for (int i = 0; i < N; ++i) {
    double m = -INFINITY, l = 0.0;
    for (int j = 0; j < N; ++j) {
      s[j] = 0.0;
      for (int c = 0; c < kDim; ++c) {
        s[j] += static_cast<double>(Q[i * kDim + c]) * K[j * kDim + c];
      }
      m = std::max(m, s[j]);
    }
    for (int j = 0; j < N; ++j) l += s[j] = std::exp(s[j] - m);
    for (int c = 0; c < kDim; ++c) {
      double sum = 0.0;
      for (int j = 0; j < N; ++j) sum += s[j] / l * V[j * kDim + c];
      want[i * kDim + c] = static_cast<float>(sum);
    }
  }
  expect("O", dO.host(), want, 1e-4, 5e-4);
  return verdict();
}
