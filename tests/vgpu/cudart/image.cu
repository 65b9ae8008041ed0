// A program whose device code images.py damages.
#include <cuda_runtime.h>

#include <cstdio>

__global__ void add(int* out, int by) {
  __shared__ char tile[10000];
  tile[threadIdx.x] = static_cast<char>(by);
  __syncthreads();
  out[threadIdx.x] += tile[31 - threadIdx.x];
}

int main() {
  int *out = nullptr, host = 0;
  cudaMalloc(&out, 128);
  cudaMemset(out, 0, 128);
  add<<<1, 32>>>(out, 7);
  std::printf("launch %s", cudaGetErrorName(cudaGetLastError()));
  std::printf(", synchronize %s", cudaGetErrorName(cudaDeviceSynchronize()));
  std::printf(", copy %s", cudaGetErrorName(cudaMemcpy(&host, out, 4, cudaMemcpyDeviceToHost)));
  std::printf(", value %d\n", host);
}
