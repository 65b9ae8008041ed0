// A radix-2 FFT in shared memory with twiddle factors from the host, forward and back, and a
// product of polynomials by number-theoretic transform; no contraction, so the bits must be the
// same everywhere.

// nvcc: -fmad=false

#include <cmath>

#include "field.cuh"

constexpr int kSize = 512;

__global__ void fft(float2* data, const float2* twiddle, bool inverse) {
  __shared__ float2 s[kSize];
  float2* mine = data + blockIdx.x * kSize;
  for (int i = threadIdx.x; i < kSize; i += blockDim.x)
    s[__brev(static_cast<unsigned>(i)) >> 23] = mine[i];
  for (int half = 1; half < kSize; half *= 2) {
    __syncthreads();
    for (int b = threadIdx.x; b < kSize / 2; b += blockDim.x) {
      const int k = b % half, i = b / half * 2 * half + k, j = i + half;
      float2 w = twiddle[k * (kSize / 2 / half)];
      if (inverse) w.y = -w.y;
      const float2 u = s[i], v = {s[j].x * w.x - s[j].y * w.y, s[j].x * w.y + s[j].y * w.x};
      s[i] = {u.x + v.x, u.y + v.y};
      s[j] = {u.x - v.x, u.y - v.y};
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kSize; i += blockDim.x)
    mine[i] = inverse ? make_float2(s[i].x / kSize, s[i].y / kSize) : s[i];
}

constexpr unsigned kPrime = 998244353;

__device__ unsigned multiply(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<unsigned long long>(a) * b % kPrime);
}
__device__ unsigned power(unsigned a, unsigned n) {
  unsigned r = 1;
  for (; n != 0; n >>= 1, a = multiply(a, a))
    if (n & 1) r = multiply(r, a);
  return r;
}

__global__ void ntt_step(unsigned* data, int n, int half, unsigned root) {
  const int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t >= n / 2) return;
  const int k = t % half, i = t / half * 2 * half + k;
  const unsigned w = power(root, static_cast<unsigned>(k * (n / 2 / half)));
  const unsigned u = data[i], v = multiply(data[i + half], w);
  data[i] = u + v < kPrime ? u + v : u + v - kPrime;
  data[i + half] = u >= v ? u - v : u + kPrime - v;
}
__global__ void reverse_bits(unsigned* data, int bits) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x, j = __brev(i) >> (32 - bits);
  if (i < j) {
    const unsigned t = data[i];
    data[i] = data[j];
    data[j] = t;
  }
}
__global__ void pointwise(unsigned* a, const unsigned* b, unsigned scale) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  a[i] = multiply(multiply(a[i], b[i]), scale);
}

int main() {
  const int batch = 6;
  std::vector<float2> signal, twiddle;
  const std::vector<float> x = random_floats(2 * batch * kSize, 501);
  for (int i = 0; i < batch * kSize; ++i) signal.push_back({x[2 * i], x[2 * i + 1]});
  for (int k = 0; k < kSize / 2; ++k) {
    // Rounded hard, so that the last bit of the host's sine does not matter.
    const double angle = -2 * M_PI * k / kSize;
    twiddle.push_back({static_cast<float>(std::round(std::cos(angle) * 65536) / 65536),
                       static_cast<float>(std::round(std::sin(angle) * 65536) / 65536)});
  }
  float2* data = to_device(signal);
  float2* w = to_device(twiddle);
  fft<<<batch, 128>>>(data, w, false);
  show("forward", reinterpret_cast<float*>(data), 2 * batch * kSize);
  fft<<<batch, 128>>>(data, w, true);
  show("and back", reinterpret_cast<float*>(data), 2 * batch * kSize);

  const int n = 1024, bits = 10;
  std::vector<unsigned> pa = random_whole<unsigned>(n, 0, 99999, 502),
                        pb = random_whole<unsigned>(n, 0, 99999, 503);
  for (int i = n / 2; i < n; ++i) pa[i] = pb[i] = 0;
  unsigned* a = to_device(pa);
  unsigned* b = to_device(pb);
  const auto host_power = [](unsigned long long base, unsigned e) {
    unsigned long long r = 1;
    for (; e != 0; e >>= 1, base = base * base % kPrime)
      if (e & 1) r = r * base % kPrime;
    return static_cast<unsigned>(r);
  };
  const unsigned root = host_power(3, (kPrime - 1) / n);
  const auto transform = [&](unsigned* p, unsigned r) {
    reverse_bits<<<n / 128, 128>>>(p, bits);
    for (int half = 1; half < n; half *= 2) ntt_step<<<n / 256, 128>>>(p, n, half, r);
  };
  transform(a, root);
  transform(b, root);
  pointwise<<<n / 128, 128>>>(a, b, host_power(n, kPrime - 2));
  transform(a, host_power(root, kPrime - 2));
  show("product", a, n);
}
