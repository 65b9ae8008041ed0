// Attention with an online softmax, a block of queries at a time: a thread per row, and a warp per
// row with the head split over lanes. expf is approximate: the program prints rounded values.
#include "field.cuh"

constexpr int kHead = 32, kRows = 64, kColumns = 32;

__global__ void thread_per_row(const float* q, const float* k, const float* v, float* o, int n,
                               float scale, bool causal) {
  __shared__ float ks[kColumns][kHead], vs[kColumns][kHead];
  const int row = blockIdx.x * kRows + threadIdx.x;
  float query[kHead], sum[kHead] = {}, m = -INFINITY, l = 0;
#pragma unroll
  for (int d = 0; d < kHead; ++d) query[d] = row < n ? q[row * kHead + d] * scale : 0;
  for (int j = 0; j < n; j += kColumns) {
    for (int i = threadIdx.x; i < kColumns * kHead; i += kRows) {
      const bool inside = j + i / kHead < n;
      ks[i / kHead][i % kHead] = inside ? k[j * kHead + i] : 0;
      vs[i / kHead][i % kHead] = inside ? v[j * kHead + i] : 0;
    }
    __syncthreads();
    float s[kColumns], top = m;
    for (int c = 0; c < kColumns; ++c) {
      s[c] = 0;
#pragma unroll
      for (int d = 0; d < kHead; ++d) s[c] += query[d] * ks[c][d];
      if (j + c >= n || (causal && j + c > row)) s[c] = -INFINITY;
      top = fmaxf(top, s[c]);
    }
    const float correction = m == -INFINITY ? 0 : expf(m - top);
    l *= correction;
#pragma unroll
    for (int d = 0; d < kHead; ++d) sum[d] *= correction;
    for (int c = 0; c < kColumns; ++c) {
      const float p = s[c] == -INFINITY ? 0 : expf(s[c] - top);
      l += p;
#pragma unroll
      for (int d = 0; d < kHead; ++d) sum[d] += p * vs[c][d];
    }
    m = top;
    __syncthreads();
  }
  if (row < n)
    for (int d = 0; d < kHead; ++d) o[row * kHead + d] = sum[d] / l;
}

__global__ void warp_per_row(const float* q, const float* k, const float* v, float* o, int n,
                             float scale) {
  const int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (row >= n) return;
  const float query = q[row * kHead + lane] * scale;
  float m = -INFINITY, l = 0, sum = 0;
  for (int j = 0; j < n; ++j) {
    float s = query * k[j * kHead + lane];
    for (int d = 16; d > 0; d /= 2) s += __shfl_xor_sync(0xffffffff, s, d);
    const float top = fmaxf(m, s), correction = __expf(m - top), p = __expf(s - top);
    l = l * correction + p;
    sum = sum * correction + p * v[j * kHead + lane];
    m = top;
  }
  o[row * kHead + lane] = sum / l;
}

int main() {
  const int n = 150;
  float* q = to_device(random_floats(n * kHead, 551));
  float* k = to_device(random_floats(n * kHead, 552));
  float* v = to_device(random_floats(n * kHead, 553));
  float* o = device_array<float>(n * kHead);
  const auto print = [&](const char* name) {
    CHECK(cudaDeviceSynchronize());
    const std::vector<float> x = to_host(o, n * kHead);
    std::printf("%s:", name);
    for (int r = 0; r < n; r += 23) std::printf(" %.3f", x[r * kHead + r % kHead]);
    std::printf("\n");
  };
  const float scale = 0.17677669f;
  thread_per_row<<<(n + kRows - 1) / kRows, kRows>>>(q, k, v, o, n, scale, false);
  print("thread per row");
  thread_per_row<<<(n + kRows - 1) / kRows, kRows>>>(q, k, v, o, n, scale, true);
  print("causal");
  warp_per_row<<<(n + 3) / 4, 128>>>(q, k, v, o, n, scale);
  print("warp per row");
}
