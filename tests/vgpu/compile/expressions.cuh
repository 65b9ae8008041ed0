// What the program that expressions.py writes has in common: bit patterns, and a line for each
// kernel.
#include <cstdio>
#include <vector>

inline std::vector<unsigned> patterns() {
  std::vector<unsigned> x = {0,          1,          2,          31,         32,
                             33,         0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF,
                             0x7F800000, 0xFF800000, 0x7FC00001, 0xFF812345, 0x7F7FFFFF,
                             0x00800000, 0x00400000, 0x807FFFFF, 0x3F800000, 0xBF800000,
                             0x43000000, 0xC3160000, 0x7E800001, 0x0C000001};
  for (unsigned state = 1; x.size() < 64;) x.push_back(state = state * 1664525u + 1013904223u);
  return x;
}

// Loads of two and four words that all lanes share.
__global__ void wide_loads(const unsigned* x, unsigned* out, int) {
  __shared__ uint4 fours[16];
  __shared__ uint2 twos[16];
  if (threadIdx.x < 16) {
    fours[threadIdx.x] = reinterpret_cast<const uint4*>(x)[threadIdx.x];
    twos[threadIdx.x] = reinterpret_cast<const uint2*>(x)[threadIdx.x];
  }
  __syncwarp();
  unsigned sum = threadIdx.x;
#pragma unroll 1
  for (int i = 0; i < 16; ++i) {
    const uint4 four = fours[i];
    const uint2 two = twos[i];
    sum = (sum ^ four.x) * 3 + (four.y ^ two.x) * 5 + (four.z ^ sum) * two.y + four.w;
  }
  out[blockIdx.x * 32 + threadIdx.x] = sum;
}

// The results of all pairs, as one number.
inline void show(const char* name, void (*kernel)(const unsigned*, unsigned*, int)) {
  const std::vector<unsigned> x = patterns();
  const int n = static_cast<int>(x.size());
  std::vector<unsigned> host(n * 32);
  unsigned *in, *out;
  cudaMalloc(&in, x.size() * sizeof(unsigned));
  cudaMalloc(&out, host.size() * sizeof(unsigned));
  cudaMemcpy(in, x.data(), x.size() * sizeof(unsigned), cudaMemcpyHostToDevice);
  kernel<<<n, 32>>>(in, out, n);
  cudaMemcpy(host.data(), out, host.size() * sizeof(unsigned), cudaMemcpyDeviceToHost);
  unsigned sum = 2166136261u;
  for (unsigned value : host) sum = (sum ^ value) * 16777619u;
  std::printf("%s %08x %s\n", name, sum, cudaGetErrorString(cudaGetLastError()));
  cudaFree(in);
  cudaFree(out);
}
