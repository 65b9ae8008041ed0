// Blocks whose threads do not fill their last warp (9 x 5 = 45, and 3 x 5 x 7 = 105), with
// barriers: the order of threads in warps is x first, then y, then z.
#include "program.cuh"

__global__ void neighbours_2d(int* out, int width) {
  __shared__ int tile[5][9];
  const int x = threadIdx.x, y = threadIdx.y;
  tile[y][x] = (blockIdx.y * 5 + y) * width + blockIdx.x * 9 + x;
  __syncthreads();  // every cell of the tile is written
  const int sum = tile[(y + 1) % 5][x] + tile[y][(x + 8) % 9];
  out[(blockIdx.y * 5 + y) * width + blockIdx.x * 9 + x] = sum;
}

__global__ void indices_3d(int* lanes, unsigned* active) {
  const int t = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  lanes[t] = t % warpSize;
  active[t] = __activemask();
}

int main() {
  const int width = 4 * 9, height = 3 * 5;
  DeviceArray<int> out(width * height), lanes(105);
  DeviceArray<unsigned> active(105);
  neighbours_2d<<<dim3(4, 3), dim3(9, 5)>>>(out.data(), width);
  indices_3d<<<1, dim3(3, 5, 7)>>>(lanes.data(), active.data());
  finish_kernels();
  std::vector<int> want(width * height), want_lanes(105);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      const int y = row / 5 * 5, x = column / 9 * 9;
      want[row * width + column] =
          (y + (row - y + 1) % 5) * width + column + row * width + x + (column - x + 8) % 9;
    }
  }
  std::vector<unsigned> want_active(105);
  for (int t = 0; t < 105; ++t) {
    want_lanes[t] = t % 32;
    want_active[t] = t < 96 ? 0xffffffffu : 0x1ffu;
  }
  expect("neighbours", out.host(), want);
  expect("lanes", lanes.host(), want_lanes);
  expect("active", active.host(), want_active);
  return verdict();
}
