// float functions against the host's, with bounds in units of the last place where they are IEEE
// and in relative error where the GPU approximates (CUDA C++ Programming Guide, mathematical
// functions).
#include "program.cuh"

constexpr int kExact = 10, kClose = 12;

__host__ __device__ void exact(float x, float y, float* out) {
  out[0] = x / y;
  out[1] = sqrtf(fabsf(x));
  out[2] = fmaf(x, y, 0.1f);
  out[3] = 1.0f / x;
  out[4] = fminf(x, y);
  out[5] = fmaxf(x, y);
  out[6] = floorf(x) + ceilf(y) + truncf(x);
  out[7] = rintf(x * 8.5f);
  out[8] = static_cast<float>(static_cast<int>(x * 1000.0f));
  out[9] = copysignf(x, y);
}

__host__ __device__ void close(float x, float y, float* out) {
  out[0] = expf(x);
  out[1] = exp2f(y);
  out[2] = logf(fabsf(x));
  out[3] = log2f(fabsf(y) + 2.0f);
  out[4] = sinf(x);
  out[5] = cosf(y);
  out[6] = tanhf(x);
  out[7] = powf(fabsf(x), y * 0.25f);
  out[8] = erff(y);
  out[9] = 1.0f / sqrtf(fabsf(y));
  out[10] = log1pf(fabsf(x));
  out[11] = expm1f(y);
}

__global__ void evaluate(const float* x, const float* y, float* a, float* b, float* fast, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  exact(x[i], y[i], a + i * kExact);
  close(x[i], y[i], b + i * kClose);
  fast[i * 4] = __expf(x[i]);
  fast[i * 4 + 1] = __logf(fabsf(y[i]) + 2.0f);
  fast[i * 4 + 2] = __fdividef(x[i], y[i]);
  fast[i * 4 + 3] = rsqrtf(fabsf(x[i]));
}

__global__ void corners(float zero, float* out) {
  const float infinity = 1.0f / zero, nan = zero / zero;
  out[0] = infinity;
  out[1] = nan;
  out[2] = expf(-infinity);
  out[3] = expf(100.0f + zero);
  out[4] = expf(-120.0f + zero);
  out[5] = fmaxf(nan, 3.0f);  // the operand that is a number
  out[6] = fminf(-2.0f, nan);
  out[7] = logf(zero);
  out[8] = sqrtf(zero - 1.0f);
  out[9] = static_cast<float>(static_cast<int>(infinity));  // saturates
  out[10] = static_cast<float>(static_cast<int>(nan));      // becomes 0
  out[11] = nan == nan ? 1.0f : nan < 1.0f ? 2.0f : !(nan >= 1.0f) ? 3.0f : 4.0f;
  out[12] = 1e-40f + zero;  // denormals are kept
  out[13] = -zero;
}

int main() {
  const int n = 1000;
  std::vector<float> x = random_floats(n, 17), y = random_floats(n, 18);
  for (int i = 0; i < n; ++i) x[i] *= static_cast<float>(1 + i % 20), y[i] *= 4.0f;
  DeviceArray<float> dx(x), dy(y), a(n * kExact), b(n * kClose), fast(n * 4), special(14);
  evaluate<<<(n + 127) / 128, 128>>>(dx.data(), dy.data(), a.data(), b.data(), fast.data(), n);
  corners<<<1, 1>>>(0.0f, special.data());
  finish_kernels();

  std::vector<float> want_exact(n * kExact), want_close(n * kClose), want_fast(n * 4);
  for (int i = 0; i < n; ++i) {
    exact(x[i], y[i], &want_exact[i * kExact]);
    close(x[i], y[i], &want_close[i * kClose]);
    want_fast[i * 4] = std::exp(x[i]);
    want_fast[i * 4 + 1] = std::log(std::fabs(y[i]) + 2.0f);
    want_fast[i * 4 + 2] = x[i] / y[i];
    want_fast[i * 4 + 3] = 1.0f / std::sqrt(std::fabs(x[i]));
  }
  expect("exact", a.host(), want_exact);
  expect("close", b.host(), want_close, 1e-6, 2e-7);
  expect("fast", fast.host(), want_fast, 3e-6, 2e-7);
  expect("corners", special.host(),
         {INFINITY, NAN, 0.0f, INFINITY, 0.0f, 3.0f, -2.0f, -INFINITY, NAN, 2147483648.0f, 0.0f,
          3.0f, 1e-40f, -0.0f});
  return verdict();
}
