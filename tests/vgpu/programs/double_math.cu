// Double precision: arithmetic is exact to the last bit on both sides, functions to a few bits.
#include "program.cuh"

constexpr int kArithmetic = 8, kFunctions = 6;

__host__ __device__ void arithmetic(double x, double y, double* out) {
  out[0] = x + y;
  out[1] = x - y;
  out[2] = x * y;
  out[3] = x / y;
  out[4] = fma(x, y, 0.1);
  out[5] = sqrt(fabs(x));
  out[6] = fmin(x, y) - fmax(x, y);
  out[7] = floor(x * 10.0) + ceil(y * 10.0) + trunc(x * 3.0) + static_cast<float>(y) +
           static_cast<long long>(x * 1e12);
}

__host__ __device__ void functions(double x, double y, double* out) {
  out[0] = exp(x * 20.0);
  out[1] = log(fabs(y) + 1e-3);
  out[2] = sin(x);
  out[3] = cos(y * 4.0);
  out[4] = tanh(x);
  out[5] = pow(fabs(x) + 0.5, y);
}

__global__ void evaluate(const double* x, const double* y, double* exact, double* close) {
  const int i = threadIdx.x;
  arithmetic(x[i], y[i], exact + i * kArithmetic);
  functions(x[i], y[i], close + i * kFunctions);
}

int main() {
  const int n = 96;
  const std::vector<float> a = random_floats(n, 15), b = random_floats(n, 16);
  std::vector<double> x(a.begin(), a.end()), y(b.begin(), b.end());
  for (int i = 0; i < n; ++i) x[i] += 1e-9 * i, y[i] -= 1e-10 * i;
  DeviceArray<double> dx(x), dy(y), exact(n * kArithmetic), close(n * kFunctions);
  evaluate<<<1, n>>>(dx.data(), dy.data(), exact.data(), close.data());
  finish_kernels();
  std::vector<double> want_exact(n * kArithmetic), want_close(n * kFunctions);
  for (int i = 0; i < n; ++i) {
    arithmetic(x[i], y[i], &want_exact[i * kArithmetic]);
    functions(x[i], y[i], &want_close[i * kFunctions]);
  }
  expect("arithmetic", exact.host(), want_exact);
  expect("functions", close.host(), want_close, 1e-14, 1e-15);
  return verdict();
}
