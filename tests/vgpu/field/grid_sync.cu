// Cooperative launches: iterations with grid.sync() instead of one launch each, and a reduction
// over the grid.
#include <cooperative_groups.h>

#include "field.cuh"

namespace cg = cooperative_groups;

__global__ void life(unsigned char* a, unsigned char* b, int w, int h, int steps) {
  const cg::grid_group grid = cg::this_grid();
  for (int s = 0; s < steps; ++s) {
    for (int i = static_cast<int>(grid.thread_rank()); i < w * h;
         i += static_cast<int>(grid.size())) {
      const int x = i % w, y = i / w;
      int around = 0;
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx)
          if (dx != 0 || dy != 0) around += a[(y + dy + h) % h * w + (x + dx + w) % w];
      b[i] = around == 3 || (around == 2 && a[i] != 0);
    }
    grid.sync();
    unsigned char* const t = a;
    a = b;
    b = t;
  }
}

__device__ long long dot_total;

__global__ void reduce(const int* in, int n, long long* results) {
  const cg::grid_group grid = cg::this_grid();
  __shared__ long long partial;
  for (int k = 1; k <= 3; ++k) {
    if (threadIdx.x == 0) partial = 0;
    if (grid.thread_rank() == 0) dot_total = 0;
    grid.sync();
    long long sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
      sum += in[i] / k;
    atomicAdd(reinterpret_cast<unsigned long long*>(&partial),
              static_cast<unsigned long long>(sum));
    __syncthreads();
    if (threadIdx.x == 0)
      atomicAdd(reinterpret_cast<unsigned long long*>(&dot_total),
                static_cast<unsigned long long>(partial));
    cg::sync(grid);
    if (grid.thread_rank() == static_cast<unsigned>(k)) results[k - 1] = dot_total;
    grid.sync();
  }
}

__global__ void who(int* out) {
  const cg::grid_group grid = cg::this_grid();
  out[grid.thread_rank()] =
      static_cast<int>(grid.block_rank() * 1000 + grid.num_blocks() * 10 + grid.is_valid());
}

int main() {
  int cooperative = 0, processors = 0, per = 0;
  CHECK(cudaDeviceGetAttribute(&cooperative, cudaDevAttrCooperativeLaunch, 0));
  CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0));
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per, life, 128, 0));
  std::printf("cooperative: %d, room for 16 blocks: %d\n", cooperative, per * processors >= 16);

  const int w = 120, h = 75;
  unsigned char* a = to_device(random_whole<unsigned char>(w * h, 0, 1, 301));
  unsigned char* b = device_array<unsigned char>(w * h);
  int width = w, height = h, steps = 20;
  void* life_arguments[] = {&a, &b, &width, &height, &steps};
  CHECK(cudaLaunchCooperativeKernel(life, dim3(16), dim3(128), life_arguments, 0, nullptr));
  show("life", a, w * h);

  int n = 30000;
  int* in = to_device(random_ints(n, -100000, 100000, 302));
  long long* results = device_array<long long>(3);
  void* reduce_arguments[] = {&in, &n, &results};
  CHECK(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(reduce), dim3(12), dim3(64),
                                    reduce_arguments, 0, nullptr));
  CHECK(cudaDeviceSynchronize());
  for (const long long r : to_host(results, 3)) std::printf("%lld\n", r);

  int* ranks = device_array<int>(5 * 32);
  cudaLaunchConfig_t config{};
  config.gridDim = 5;
  config.blockDim = 32;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeCooperative;
  attribute.val.cooperative = 1;
  config.attrs = &attribute;
  config.numAttrs = 1;
  CHECK(cudaLaunchKernelEx(&config, who, ranks));
  show("ranks", ranks, 5 * 32);

  void* too_many[] = {&ranks};
  std::printf("too many blocks: %s\n", cudaGetErrorName(cudaLaunchCooperativeKernel(
                                           who, dim3(1 << 20), dim3(32), too_many, 0, nullptr)));
}
