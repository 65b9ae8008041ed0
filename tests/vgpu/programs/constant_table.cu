// __constant__ memory: with an initial value, and filled by cudaMemcpyToSymbol.
#include "program.cuh"

__constant__ float polynomial[4] = {1.0f, -2.0f, 0.5f, 0.25f};
__constant__ int permutation[64];
__constant__ struct {
  double scale;
  short offset;
} settings = {1.5, -3};

__global__ void evaluate(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float sum = 0.0f;
  for (int k = 3; k >= 0; --k) sum = sum * x[i] + polynomial[k];
  y[permutation[i % 64] + i / 64 * 64] = sum * static_cast<float>(settings.scale) + settings.offset;
}

int main() {
  const int n = 256;
  const std::vector<float> x = random_floats(n, 11);
  std::vector<int> order(64);
  for (int i = 0; i < 64; ++i) order[i] = i * 23 % 64;
  CHECK(cudaMemcpyToSymbol(permutation, order.data(), 64 * sizeof(int)));
  DeviceArray<float> dx(x), dy(n);
  evaluate<<<2, 128>>>(dx.data(), dy.data(), n);
  finish_kernels();
  std::vector<float> want(n);
  for (int i = 0; i < n; ++i) {
    const float value = ((0.25f * x[i] + 0.5f) * x[i] - 2.0f) * x[i] + 1.0f;
    want[order[i % 64] + i / 64 * 64] = value * 1.5f - 3.0f;
  }
  expect("y", dy.host(), want, 1e-6, 1e-6);

  const std::vector<float> other = {0.0f, 0.0f};
  CHECK(cudaMemcpyToSymbol(polynomial, other.data(), 2 * sizeof(float), 2 * sizeof(float)));
  std::vector<float> back(4);
  CHECK(cudaMemcpyFromSymbol(back.data(), polynomial, 4 * sizeof(float)));
  expect("polynomial", back, {1.0f, -2.0f, 0.0f, 0.0f});
  return verdict();
}
