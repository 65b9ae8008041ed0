// A 3-D stencil of radius 4 as wave solvers have it: planes of shared memory, a queue of registers
// along z, coefficients in constant memory.

// nvcc: -fmad=false

#include "field.cuh"

constexpr int kRadius = 4, kX = 32, kY = 8;

__constant__ float coefficient[kRadius + 1];

__global__ void laplacian(const float* in, float* out, int nx, int ny, int nz) {
  __shared__ float plane[kY + 2 * kRadius][kX + 2 * kRadius];
  const int x = blockIdx.x * kX + threadIdx.x,
            y = blockIdx.y * kY + threadIdx.y;  // inside the halo
  const int tx = threadIdx.x + kRadius, ty = threadIdx.y + kRadius;
  const int row = nx + 2 * kRadius, slice = row * (ny + 2 * kRadius);
  int index = (y + kRadius) * row + x + kRadius;
  float behind[kRadius], current, front[kRadius];
#pragma unroll
  for (int i = kRadius - 1; i >= 0; --i, index += slice) behind[i] = in[index];
  current = in[index];
  index += slice;
#pragma unroll
  for (int i = 0; i < kRadius; ++i, index += slice) front[i] = in[index];
  int middle = index - (kRadius + 1) * slice;
  for (int z = 0; z < nz; ++z) {
    __syncthreads();
    if (threadIdx.y < kRadius) {
      plane[threadIdx.y][tx] = in[middle - kRadius * row];
      plane[threadIdx.y + kY + kRadius][tx] = in[middle + kY * row];
    }
    if (threadIdx.x < kRadius) {
      plane[ty][threadIdx.x] = in[middle - kRadius];
      plane[ty][threadIdx.x + kX + kRadius] = in[middle + kX];
    }
    plane[ty][tx] = current;
    __syncthreads();
    float value = coefficient[0] * current;
#pragma unroll
    for (int i = 1; i <= kRadius; ++i)
      value += coefficient[i] * (front[i - 1] + behind[i - 1] + plane[ty - i][tx] +
                                 plane[ty + i][tx] + plane[ty][tx - i] + plane[ty][tx + i]);
    out[middle] = value;
    if (z + 1 == nz) break;
#pragma unroll
    for (int i = kRadius - 1; i > 0; --i) behind[i] = behind[i - 1];
    behind[0] = current;
    current = front[0];
#pragma unroll
    for (int i = 0; i < kRadius - 1; ++i) front[i] = front[i + 1];
    front[kRadius - 1] = in[index];
    index += slice;
    middle += slice;
  }
}

int main() {
  const int nx = 64, ny = 24, nz = 20, total = (nx + 8) * (ny + 8) * (nz + 8);
  float* a = to_device(random_floats(total, 201));
  float* b = to_device(std::vector<float>(total));
  const float host[] = {-2.5f, 0.8f, -0.1f, 0.0125f, -0.0009f};
  CHECK(cudaMemcpyToSymbol(coefficient, host, sizeof host));
  for (int step = 0; step < 4; ++step) {
    laplacian<<<dim3(nx / kX, ny / kY), dim3(kX, kY)>>>(a, b, nx, ny, nz);
    std::swap(a, b);
  }
  show("3-D stencil", a, total);
}
