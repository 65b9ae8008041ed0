// Kernels that do little but read global memory: the speed benchmark of the virtual GPU's way to
// memory. Naive attention in three kernels (one head, d = 64), and two that move bytes.
//
//   global_loads [N = 512, a multiple of 32] [repeats = 1]
//
//   qkt         thread per score, warp = 32 keys of a query   rows of K 256 bytes apart
//   qkt_square  the same in blocks of 16 x 16                 16 keys each of two queries
//   softmax     thread per row                                rows of S 4 N bytes apart
//   pv          thread per element of O, block = one row      one of P, 32 neighbours in V
//   saxpy       thread per element, 1,000,003 of them         neighbours, the last warp in part
#include "../vgpu/programs/program.cuh"

constexpr int kDim = 64, kElements = 1000003;

__device__ void score(const float* Q, const float* K, float* S, int N, int i, int j) {
  float sum = 0.0f;
  for (int c = 0; c < kDim; ++c) sum += Q[i * kDim + c] * K[j * kDim + c];
  S[i * N + j] = sum;
}
__global__ void qkt(const float* Q, const float* K, float* S, int N) {
  score(Q, K, S, N, blockIdx.y * blockDim.y + threadIdx.y, blockIdx.x * blockDim.x + threadIdx.x);
}
__global__ void qkt_square(const float* Q, const float* K, float* S, int N) {
  score(Q, K, S, N, blockIdx.y * blockDim.y + threadIdx.y, blockIdx.x * blockDim.x + threadIdx.x);
}

__global__ void softmax(const float* S, float* P, int N) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  const float* const s = S + row * N;
  float m = -INFINITY, l = 0.0f;
  for (int j = 0; j < N; ++j) m = fmaxf(m, s[j]);
  for (int j = 0; j < N; ++j) l += __expf(s[j] - m);
  for (int j = 0; j < N; ++j) P[row * N + j] = __expf(s[j] - m) / l;
}

__global__ void pv(const float* P, const float* V, float* O, int N) {
  const int i = blockIdx.x, c = threadIdx.x;
  float sum = 0.0f;
  for (int j = 0; j < N; ++j) sum += P[i * N + j] * V[j * kDim + c];
  O[i * kDim + c] = sum;
}

__global__ void saxpy(float a, const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}

int main(int argc, char** argv) {
  const int N = argc > 1 ? std::atoi(argv[1]) : 512;
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 1;
  if (N <= 0 || N % 32 != 0 || repeats <= 0) {
    std::printf("usage: %s [N, a multiple of 32] [repeats, at least 1]\n", argv[0]);
    return 2;
  }
  const std::vector<float> Q = random_floats(N * kDim, 41), K = random_floats(N * kDim, 42),
                           V = random_floats(N * kDim, 43), x = random_floats(kElements, 44),
                           y = random_floats(kElements, 45);
  DeviceArray<float> dQ(Q), dK(K), dV(V), dx(x), dy(y), S(N * N), S_square(N * N), P(N * N),
      O(N * kDim);
  for (int repeat = 0; repeat < repeats; ++repeat) {
    qkt<<<dim3(N / 32, N / 8), dim3(32, 8)>>>(dQ.data(), dK.data(), S.data(), N);
    qkt_square<<<dim3(N / 16, N / 16), dim3(16, 16)>>>(dQ.data(), dK.data(), S_square.data(), N);
    softmax<<<N / 32, 32>>>(S.data(), P.data(), N);
    pv<<<N, kDim>>>(P.data(), dV.data(), O.data(), N);
    saxpy<<<(kElements + 255) / 256, 256>>>(0.5f, dx.data(), dy.data(), kElements);
  }
  finish_kernels();

  expect("S of both blocks", S_square.host(), S.host());
  std::vector<float> O_want(N * kDim), y_want(y);
  std::vector<double> s(N);
  for (int i = 0; i < N; ++i) {
    double m = -INFINITY, l = 0.0;
    for (int j = 0; j < N; ++j) {
      s[j] = 0.0;
      for (int c = 0; c < kDim; ++c) s[j] += static_cast<double>(Q[i * kDim + c]) * K[j * kDim + c];
      m = std::max(m, s[j]);
    }
    for (int j = 0; j < N; ++j) l += s[j] = std::exp(s[j] - m);
    for (int c = 0; c < kDim; ++c) {
      double sum = 0.0;
      for (int j = 0; j < N; ++j) sum += s[j] / l * V[j * kDim + c];
      O_want[i * kDim + c] = static_cast<float>(sum);
    }
  }
  for (int i = 0; i < kElements; ++i) {
    for (int repeat = 0; repeat < repeats; ++repeat) y_want[i] = std::fmaf(0.5f, x[i], y_want[i]);
  }
  expect("O", O.host(), O_want, 1e-4, 2e-5);
  expect("y", dy.host(), y_want);
  return verdict();
}
