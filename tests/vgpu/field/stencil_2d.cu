// Two-dimensional stencils: heat conduction with a halo in shared memory, and a 5 x 5 filter whose
// weights lie in constant memory. Without contraction every operation rounds as IEEE says, so the
// bits must be the same everywhere.

// nvcc: -fmad=false

#include "field.cuh"

constexpr int kBlock = 16;

__constant__ float weights[25];

__global__ void heat(const float* in, float* out, int w, int h) {
  __shared__ float t[kBlock + 2][kBlock + 2];
  const int x = blockIdx.x * kBlock + threadIdx.x, y = blockIdx.y * kBlock + threadIdx.y;
  const int lx = threadIdx.x + 1, ly = threadIdx.y + 1;
  const auto at = [&](int cx, int cy) {
    return in[min(max(cy, 0), h - 1) * w + min(max(cx, 0), w - 1)];
  };
  t[ly][lx] = at(x, y);
  if (threadIdx.x == 0) t[ly][0] = at(x - 1, y);
  if (threadIdx.x == kBlock - 1) t[ly][kBlock + 1] = at(x + 1, y);
  if (threadIdx.y == 0) t[0][lx] = at(x, y - 1);
  if (threadIdx.y == kBlock - 1) t[kBlock + 1][lx] = at(x, y + 1);
  __syncthreads();
  if (x >= w || y >= h) return;
  const float c = t[ly][lx];
  out[y * w + x] =
      c + 0.2f * (t[ly - 1][lx] + t[ly + 1][lx] + t[ly][lx - 1] + t[ly][lx + 1] - 4.0f * c);
}

__global__ void filter(const float* in, float* out, int w, int h) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= w || y >= h) return;
  float sum = 0;
#pragma unroll
  for (int dy = -2; dy <= 2; ++dy)
#pragma unroll
    for (int dx = -2; dx <= 2; ++dx) {
      const int cx = min(max(x + dx, 0), w - 1), cy = min(max(y + dy, 0), h - 1);
      sum += weights[(dy + 2) * 5 + dx + 2] * __ldg(&in[cy * w + cx]);
    }
  out[y * w + x] = sum;
}

int main() {
  const int w = 150, h = 97;
  float* a = to_device(random_floats(w * h, 191));
  float* b = device_array<float>(w * h);
  const dim3 threads(kBlock, kBlock), grid((w + kBlock - 1) / kBlock, (h + kBlock - 1) / kBlock);
  for (int step = 0; step < 20; ++step) {
    heat<<<grid, threads>>>(a, b, w, h);
    std::swap(a, b);
  }
  show("heat", a, w * h);
  std::vector<float> kernel;
  for (int i = 0; i < 25; ++i)
    kernel.push_back((1.0f + static_cast<float>(i % 5)) * (1.0f + static_cast<float>(i / 5)) /
                     225.0f);
  CHECK(cudaMemcpyToSymbol(weights, kernel.data(), sizeof weights));
  filter<<<dim3((w + 31) / 32, (h + 7) / 8), dim3(32, 8)>>>(a, b, w, h);
  show("filter", b, w * h);
}
