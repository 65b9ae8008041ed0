// Bitonic sort: a warp with shuffles, a block in shared memory, and a whole array with global merge
// steps.
#include "field.cuh"

__device__ int compare(int mine, int other, bool want_small) {
  return (mine < other) == want_small ? mine : other;
}

__global__ void sort_warps(int* data) {
  const int lane = threadIdx.x % 32, i = blockIdx.x * blockDim.x + threadIdx.x;
  int v = data[i];
  for (int size = 2; size <= 32; size *= 2)
    for (int step = size / 2; step > 0; step /= 2) {
      const int other = __shfl_xor_sync(0xffffffff, v, step);
      v = compare(v, other, ((lane & step) == 0) == ((lane & size) == 0));
    }
  data[i] = v;
}

constexpr int kShared = 512;

__global__ void sort_blocks(int* data, int last_size) {
  __shared__ int s[kShared];
  for (int i = threadIdx.x; i < kShared; i += blockDim.x) s[i] = data[blockIdx.x * kShared + i];
  for (int size = 2; size <= last_size; size *= 2) {
    for (int step = size / 2; step > 0; step /= 2) {
      __syncthreads();
      const int i = 2 * threadIdx.x - (threadIdx.x & (step - 1)), j = i + step;
      const bool up = ((blockIdx.x * kShared + i) & size) == 0;
      if ((s[i] > s[j]) == up) {
        const int v = s[i];
        s[i] = s[j];
        s[j] = v;
      }
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kShared; i += blockDim.x) data[blockIdx.x * kShared + i] = s[i];
}

__global__ void merge_global(int* data, int size, int step) {
  const int t = blockIdx.x * blockDim.x + threadIdx.x, i = 2 * t - (t & (step - 1)), j = i + step;
  const bool up = (i & size) == 0;
  const int a = data[i], b = data[j];
  if ((a > b) == up) {
    data[i] = b;
    data[j] = a;
  }
}

__global__ void merge_shared(int* data, int size) {
  __shared__ int s[kShared];
  for (int i = threadIdx.x; i < kShared; i += blockDim.x) s[i] = data[blockIdx.x * kShared + i];
  for (int step = kShared / 2; step > 0; step /= 2) {
    __syncthreads();
    const int i = 2 * threadIdx.x - (threadIdx.x & (step - 1)), j = i + step;
    const bool up = ((blockIdx.x * kShared + i) & size) == 0;
    if ((s[i] > s[j]) == up) {
      const int v = s[i];
      s[i] = s[j];
      s[j] = v;
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kShared; i += blockDim.x) data[blockIdx.x * kShared + i] = s[i];
}

int main() {
  const int n = 1 << 15;
  const std::vector<int> start = random_ints(n, -1000000, 1000000, 171);
  int* data = to_device(start);
  sort_warps<<<n / 256, 256>>>(data);
  show("warps", data, n);
  CHECK(cudaMemcpy(data, start.data(), n * sizeof(int), cudaMemcpyHostToDevice));
  sort_blocks<<<n / kShared, kShared / 2>>>(data, kShared);
  show("blocks", data, n);
  for (int size = 2 * kShared; size <= n; size *= 2) {
    for (int step = size / 2; step >= kShared; step /= 2)
      merge_global<<<n / 512, 256>>>(data, size, step);
    merge_shared<<<n / kShared, kShared / 2>>>(data, size);
  }
  show("all", data, n);
}
