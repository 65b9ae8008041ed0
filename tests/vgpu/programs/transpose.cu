// Matrix transpose: straight from memory to memory, and through a shared tile with a padded row.
#include "program.cuh"

constexpr int kTile = 32;

__global__ void transpose_naive(const float* in, float* out, int rows, int columns) {
  const int column = blockIdx.x * kTile + threadIdx.x;
  for (int y = threadIdx.y; y < kTile; y += blockDim.y) {
    const int row = blockIdx.y * kTile + y;
    if (row < rows && column < columns) out[column * rows + row] = in[row * columns + column];
  }
}

__global__ void transpose_padded(const float* in, float* out, int rows, int columns) {
  __shared__ float tile[kTile][kTile + 1];  // the odd row length puts a column into 32 banks
  int row = blockIdx.y * kTile, column = blockIdx.x * kTile;
  for (int y = threadIdx.y; y < kTile; y += blockDim.y) {
    if (row + y < rows && column + threadIdx.x < columns) {
      tile[y][threadIdx.x] = in[(row + y) * columns + column + threadIdx.x];
    }
  }
  __syncthreads();  // the tile is complete before it is read by columns
  for (int y = threadIdx.y; y < kTile; y += blockDim.y) {
    if (column + y < columns && row + threadIdx.x < rows) {
      out[(column + y) * rows + row + threadIdx.x] = tile[threadIdx.x][y];
    }
  }
}

int main() {
  const int rows = 100, columns = 77;
  const std::vector<float> in = random_floats(rows * columns, 7);
  std::vector<float> want(rows * columns);
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) want[c * rows + r] = in[r * columns + c];
  }
  DeviceArray<float> din(in), naive(in.size()), padded(in.size());
  const dim3 grid((columns + kTile - 1) / kTile, (rows + kTile - 1) / kTile), block(kTile, 8);
  transpose_naive<<<grid, block>>>(din.data(), naive.data(), rows, columns);
  transpose_padded<<<grid, block>>>(din.data(), padded.data(), rows, columns);
  finish_kernels();
  expect("naive", naive.host(), want);
  expect("padded", padded.host(), want);
  return verdict();
}
