// y = a x + y with a grid-stride loop: a small grid walks over a long vector.
#include "program.cuh"

__global__ void saxpy(float a, const float* x, float* y, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    y[i] = a * x[i] + y[i];
  }
}

int main() {
  const int n = 10007;
  const std::vector<float> x = random_floats(n, 3), y = random_floats(n, 4);
  DeviceArray<float> dx(x), dy(y);
  saxpy<<<3, 96>>>(2.5f, dx.data(), dy.data(), n);
  finish_kernels();
  std::vector<float> want(n);
  for (int i = 0; i < n; ++i) want[i] = std::fma(2.5f, x[i], y[i]);
  expect("y", dy.host(), want);
  return verdict();
}
