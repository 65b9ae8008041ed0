// Convolutions: separable with halos and constant weights, a direct 2-D one over channels (as in a
// network), and im2col with a product.
#include "field.cuh"

constexpr int kRadius = 6, kWidth = 128, kHeight = 96;

__constant__ float filter[2 * kRadius + 1];

__global__ void rows(const float* in, float* out) {
  __shared__ float line[64 + 2 * kRadius];
  const int x0 = blockIdx.x * 64, y = blockIdx.y;
  for (int i = threadIdx.x; i < 64 + 2 * kRadius; i += blockDim.x) {
    const int x = x0 + i - kRadius;
    line[i] = x >= 0 && x < kWidth ? in[y * kWidth + x] : 0;
  }
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (int k = -kRadius; k <= kRadius; ++k)
    sum += filter[k + kRadius] * line[threadIdx.x + kRadius + k];
  out[y * kWidth + x0 + threadIdx.x] = sum;
}

__global__ void columns(const float* in, float* out) {
  __shared__ float tile[16 + 2 * kRadius][33];
  const int x = blockIdx.x * 32 + threadIdx.x, y0 = blockIdx.y * 16;
  for (int i = threadIdx.y; i < 16 + 2 * kRadius; i += blockDim.y) {
    const int y = y0 + i - kRadius;
    tile[i][threadIdx.x] = y >= 0 && y < kHeight ? in[y * kWidth + x] : 0;
  }
  __syncthreads();
  for (int j = threadIdx.y; j < 16; j += blockDim.y) {
    float sum = 0;
#pragma unroll
    for (int k = -kRadius; k <= kRadius; ++k)
      sum += filter[k + kRadius] * tile[j + kRadius + k][threadIdx.x];
    out[(y0 + j) * kWidth + x] = sum;
  }
}

// in [c][h][w], weights [o][c][3][3], out [o][h-2][w-2]
__global__ void direct(const float* in, const float* weight, float* out, int c, int h, int w) {
  extern __shared__ float mine[];  // the weights of this output channel
  const int o = blockIdx.z, x = blockIdx.x * blockDim.x + threadIdx.x,
            y = blockIdx.y * blockDim.y + threadIdx.y;
  for (int i = threadIdx.y * blockDim.x + threadIdx.x; i < c * 9; i += blockDim.x * blockDim.y)
    mine[i] = weight[o * c * 9 + i];
  __syncthreads();
  if (x >= w - 2 || y >= h - 2) return;
  float sum = 0;
  for (int ch = 0; ch < c; ++ch)
    for (int dy = 0; dy < 3; ++dy)
      for (int dx = 0; dx < 3; ++dx)
        sum += in[(ch * h + y + dy) * w + x + dx] * mine[ch * 9 + dy * 3 + dx];
  out[(o * (h - 2) + y) * (w - 2) + x] = sum;
}

__global__ void im2col(const float* in, float* matrix, int c, int h, int w) {
  const int ow = w - 2, oh = h - 2, i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= c * oh * ow) return;
  const int x = i % ow, y = i / ow % oh, ch = i / ow / oh;
  for (int dy = 0; dy < 3; ++dy)
    for (int dx = 0; dx < 3; ++dx)
      matrix[((ch * 3 + dy) * 3 + dx) * oh * ow + y * ow + x] = in[(ch * h + y + dy) * w + x + dx];
}

__global__ void product(const float* a, const float* b, float* c, int m, int n, int k) {
  const int col = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
  if (col >= n || row >= m) return;
  float sum = 0;
  for (int i = 0; i < k; ++i) sum += a[row * k + i] * b[i * n + col];
  c[row * n + col] = sum;
}

int main() {
  const std::vector<float> taps = random_whole<float>(2 * kRadius + 1, -5, 5, 251);
  CHECK(cudaMemcpyToSymbol(filter, taps.data(), sizeof filter));
  float* image = to_device(random_whole<float>(kWidth * kHeight, 0, 255, 252));
  float* middle = device_array<float>(kWidth * kHeight);
  float* result = device_array<float>(kWidth * kHeight);
  rows<<<dim3(kWidth / 64, kHeight), 64>>>(image, middle);
  show("rows", middle, kWidth * kHeight);
  columns<<<dim3(kWidth / 32, kHeight / 16), dim3(32, 8)>>>(middle, result);
  show("columns", result, kWidth * kHeight);
  const int c = 5, o = 7, h = 30, w = 37, pixels = (h - 2) * (w - 2);
  float* in = to_device(random_whole<float>(c * h * w, -20, 20, 253));
  float* weight = to_device(random_whole<float>(o * c * 9, -9, 9, 254));
  float* out = device_array<float>(o * pixels);
  direct<<<dim3(3, 4, o), dim3(16, 8), c * 9 * sizeof(float)>>>(in, weight, out, c, h, w);
  show("direct", out, o * pixels);
  float* matrix = device_array<float>(c * 9 * pixels);
  im2col<<<(c * pixels + 127) / 128, 128>>>(in, matrix, c, h, w);
  product<<<dim3((pixels + 63) / 64, o), 64>>>(weight, matrix, out, o, pixels, c * 9);
  show("im2col and product", out, o * pixels);
}
