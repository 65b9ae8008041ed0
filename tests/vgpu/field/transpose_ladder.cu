// Transposes: naive both ways, a shared tile, a padded one, a swizzled one, and blocks in diagonal
// order.
#include "field.cuh"

constexpr int kTile = 32, kRows = 8;

__global__ void naive_read(float* out, const float* in, int w, int h) {
  const int x = blockIdx.x * kTile + threadIdx.x, y = blockIdx.y * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows)
    if (x < w && y + j < h) out[x * h + y + j] = in[(y + j) * w + x];
}

__global__ void naive_write(float* out, const float* in, int w, int h) {
  const int x = blockIdx.x * kTile + threadIdx.x, y = blockIdx.y * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows)
    if (x < h && y + j < w) out[(y + j) * h + x] = in[x * w + y + j];
}

template <int Padding>
__global__ void tiled(float* out, const float* in, int w, int h) {
  __shared__ float tile[kTile][kTile + Padding];
  int x = blockIdx.x * kTile + threadIdx.x, y = blockIdx.y * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows)
    if (x < w && y + j < h) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * w + x];
  __syncthreads();
  x = blockIdx.y * kTile + threadIdx.x;
  y = blockIdx.x * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows)
    if (x < h && y + j < w) out[(y + j) * h + x] = tile[threadIdx.x][threadIdx.y + j];
}

__global__ void swizzled(float* out, const float* in, int w, int h) {
  __shared__ float tile[kTile * kTile];
  int x = blockIdx.x * kTile + threadIdx.x, y = blockIdx.y * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows) {
    const int row = threadIdx.y + j;
    if (x < w && y + j < h) tile[row * kTile + (threadIdx.x ^ row)] = in[(y + j) * w + x];
  }
  __syncthreads();
  x = blockIdx.y * kTile + threadIdx.x;
  y = blockIdx.x * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows) {
    const int column = threadIdx.y + j;
    if (x < h && y + j < w)
      out[(y + j) * h + x] = tile[threadIdx.x * kTile + (column ^ threadIdx.x)];
  }
}

__global__ void diagonal(float* out, const float* in, int n) {
  __shared__ float tile[kTile][kTile + 1];
  const int block_y = blockIdx.x, block_x = (blockIdx.x + blockIdx.y) % gridDim.x;
  int x = block_x * kTile + threadIdx.x, y = block_y * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * n + x];
  __syncthreads();
  x = block_y * kTile + threadIdx.x;
  y = block_x * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows) out[(y + j) * n + x] = tile[threadIdx.x][threadIdx.y + j];
}

int main() {
  const int w = 300, h = 190, n = 256;
  float* in = to_device(random_floats(n * n, 71));
  float* out = device_array<float>(n * n);
  const dim3 threads(kTile, kRows), grid((w + kTile - 1) / kTile, (h + kTile - 1) / kTile);
  const auto run = [&](const char* name, auto kernel, dim3 blocks) {
    CHECK(cudaMemset(out, 0, n * n * sizeof(float)));
    kernel<<<blocks, threads>>>(out, in, w, h);
    show(name, out, w * h);
  };
  run("naive, coalesced reads", naive_read, grid);
  run("naive, coalesced writes", naive_write, dim3(grid.y, grid.x));
  run("tiled", tiled<0>, grid);
  run("padded", tiled<1>, grid);
  run("swizzled", swizzled, grid);
  diagonal<<<dim3(n / kTile, n / kTile), threads>>>(out, in, n);
  show("diagonal", out, n * n);
}
