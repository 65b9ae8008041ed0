// Flash attention at its simplest: one thread owns one row of Q and O; the block walks over K and V
// in tiles of 64 rows. This is the speed benchmark of the virtual GPU, and its counts on real
// hardware are known, so the test suite compares them exactly.
//
//   flash_one_thread_per_row [N = 1024, a multiple of 64] [repeats = 1]
//
//   grid    N / 64, one head          block   64 threads
//   shared  32 KiB: a K tile and a V tile of 64 x 64 floats
//   bytes   read 4 N d + 8 N d N / 64, written 4 N d
// Each thread also loads its own row of the tiles. That is deliberate: 32 sectors per request and
// 32-way bank conflicts make the counters of this kernel worth checking.
#include "../vgpu/programs/program.cuh"

constexpr int kDim = 64, kTile = 64;

__global__ void flash(const float* Q, const float* K, const float* V, float* O, int N,
                      float scale) {
  __shared__ float K_tile[kTile][kDim], V_tile[kTile][kDim];
  const int t = threadIdx.x;
  const int row = blockIdx.x * kTile + t;
  float q[kDim], o[kDim];
#pragma unroll
  for (int c = 0; c < kDim; ++c) {
    q[c] = Q[row * kDim + c];
    o[c] = 0.0f;
  }
  float m = -INFINITY, l = 0.0f;
  for (int start = 0; start < N; start += kTile) {
#pragma unroll
    for (int c = 0; c < kDim; ++c) {
      K_tile[t][c] = K[(start + t) * kDim + c];
      V_tile[t][c] = V[(start + t) * kDim + c];
    }
    __syncthreads();  // both tiles are loaded
#pragma unroll 1
    for (int j = 0; j < kTile; ++j) {
      float s = 0.0f;
#pragma unroll
      for (int c = 0; c < kDim; ++c) s += q[c] * K_tile[j][c];
      s *= scale;
      const float m_new = fmaxf(m, s);
      const float keep = __expf(m - m_new), p = __expf(s - m_new);
      l = l * keep + p;
#pragma unroll
      for (int c = 0; c < kDim; ++c) o[c] = o[c] * keep + p * V_tile[j][c];
      m = m_new;
    }
    __syncthreads();  // both tiles are used up before the next ones overwrite them
  }
#pragma unroll
  for (int c = 0; c < kDim; ++c) O[row * kDim + c] = o[c] / l;
}

/// Rows 0, step, 2 step, ... of softmax(scale Q K^T) V in double precision.
std::vector<float> reference_rows(const std::vector<float>& Q, const std::vector<float>& K,
                                  const std::vector<float>& V, int N, double scale, int step) {
  std::vector<float> rows;
  std::vector<double> s(N), o(kDim);
  for (int i = 0; i < N; i += step) {
    double m = -INFINITY, l = 0.0;
    for (int j = 0; j < N; ++j) {
      s[j] = 0.0;
      for (int c = 0; c < kDim; ++c) {
        s[j] += static_cast<double>(Q[i * kDim + c]) * K[j * kDim + c];
      }
      m = std::max(m, s[j] *= scale);
    }
    o.assign(kDim, 0.0);
    for (int j = 0; j < N; ++j) {
      const double p = std::exp(s[j] - m);
      l += p;
      for (int c = 0; c < kDim; ++c) o[c] += p * V[j * kDim + c];
    }
    for (int c = 0; c < kDim; ++c) rows.push_back(static_cast<float>(o[c] / l));
  }
  return rows;
}

int main(int argc, char** argv) {
  const int N = argc > 1 ? std::atoi(argv[1]) : 1024;
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 1;
  if (N <= 0 || N % kTile != 0 || repeats <= 0) {
    std::printf("usage: %s [N, a multiple of %d] [repeats, at least 1]\n", argv[0], kTile);
    return 2;
  }
  const float scale = 0.125f;
  std::vector<float> Q = random_floats(N * kDim, 21), K = random_floats(N * kDim, 22);
  const std::vector<float> V = random_floats(N * kDim, 23);
  for (float& x : Q) x *= 4.0f;  // scores up to about 10: a softmax with peaks
  DeviceArray<float> dQ(Q), dK(K), dV(V), dO(N * kDim);
  for (int repeat = 0; repeat < repeats; ++repeat)
    flash<<<N / kTile, kTile>>>(dQ.data(), dK.data(), dV.data(), dO.data(), N, scale);
  finish_kernels();

  const int step = std::max(1, N / 256);
  const std::vector<float> O = dO.host();
  std::vector<float> rows;
  for (int i = 0; i < N; i += step) rows.insert(rows.end(), &O[i * kDim], &O[i * kDim] + kDim);
  expect("O", rows, reference_rows(Q, K, V, N, scale, step), 1e-4, 2e-5);
  return verdict();
}
