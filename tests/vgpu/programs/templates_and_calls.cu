// Kernel and function templates, functors, and real calls: functions that are not inlined, with
// arguments and results of several sizes, called by some lanes only.
#include "program.cuh"

struct Pair {
  double first;
  int second;
};

struct Square {
  template <class T>
  __host__ __device__ T operator()(T x) const {
    return x * x;
  }
};

template <int kFactor>
struct Scale {
  template <class T>
  __host__ __device__ T operator()(T x) const {
    return x * static_cast<T>(kFactor);
  }
};

template <class T, class Function>
__global__ void transform(const T* in, T* out, int n, Function function) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = function(in[i]);
}

__host__ __device__ __noinline__ float horner(float x, int degree) {
  float sum = 0.0f;
  for (int k = degree; k > 0; --k) sum = sum * x + static_cast<float>(k);
  return sum;
}

__host__ __device__ __noinline__ Pair combine(Pair p, float x, short s) {
  return Pair{p.first * x + s, p.second - s};
}

__global__ void call(const float* x, float* values, double* firsts, int* seconds) {
  const int i = threadIdx.x;
  values[i] = i % 3 == 0 ? horner(x[i], i % 5) : i % 3 == 1 ? horner(x[i] * 0.5f, 2) : -1.0f;
  const Pair p = combine(Pair{0.25 * i, i}, static_cast<float>(i), static_cast<short>(-i));
  firsts[i] = p.first;
  seconds[i] = p.second;
}

template <class T, class Function>
void check_transform(const char* what, const std::vector<T>& in, Function function) {
  DeviceArray<T> din(in), dout(in.size());
  const int n = static_cast<int>(in.size());
  transform<<<(n + 31) / 32, 32>>>(din.data(), dout.data(), n, function);
  finish_kernels();
  std::vector<T> want;
  for (const T value : in) want.push_back(function(value));
  expect(what, dout.host(), want);
}

int main() {
  const std::vector<float> floats = random_floats(100, 19);
  check_transform("square of float", floats, Square{});
  check_transform("square of double", std::vector<double>(floats.begin(), floats.end()), Square{});
  check_transform("triple of int", std::vector<int>{1, -2, 3, 1 << 28}, Scale<3>{});
  check_transform("minus short", std::vector<short>{1, -2, 300}, Scale<-1>{});

  const int n = 64;
  const std::vector<float> x = random_floats(n, 20);
  DeviceArray<float> dx(x), values(n);
  DeviceArray<double> firsts(n);
  DeviceArray<int> seconds(n);
  call<<<1, n>>>(dx.data(), values.data(), firsts.data(), seconds.data());
  finish_kernels();
  std::vector<float> want_values(n);
  std::vector<double> want_firsts(n);
  std::vector<int> want_seconds(n);
  for (int i = 0; i < n; ++i) {
    want_values[i] = i % 3 == 0 ? horner(x[i], i % 5) : i % 3 == 1 ? horner(x[i] * 0.5f, 2) : -1.0f;
    want_firsts[i] = 0.25 * i * i - i;
    want_seconds[i] = 2 * i;
  }
  expect("horner", values.host(), want_values, 1e-6, 1e-6);
  expect("combine first", firsts.host(), want_firsts);
  expect("combine second", seconds.host(), want_seconds);
  return verdict();
}
