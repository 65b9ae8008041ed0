// Row-wise softmax three ways: a warp per row with shuffles, a block per row with an online
// maximum, and float4 loads. expf is approximate, so the program prints the probabilities rounded
// and where the largest lie.
#include "field.cuh"

__global__ void warp_per_row(const float* in, float* out, int rows, int cols) {
  const int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;
  float most = -INFINITY;
  for (int i = lane; i < cols; i += 32) most = fmaxf(most, in[row * cols + i]);
  for (int d = 16; d > 0; d /= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, d));
  float sum = 0;
  for (int i = lane; i < cols; i += 32) sum += expf(in[row * cols + i] - most);
  for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(0xffffffff, sum, d);
  for (int i = lane; i < cols; i += 32) out[row * cols + i] = expf(in[row * cols + i] - most) / sum;
}

struct __align__(8) State {
  float m, d;
};

__device__ State merge(State a, State b) {
  const State big = a.m > b.m ? a : b, small = a.m > b.m ? b : a;
  return {big.m, big.d + small.d * __expf(small.m - big.m)};
}

__global__ void online(const float* in, float* out, int cols) {
  __shared__ State states[8];
  State mine{-1e30f, 0.0f};
  for (int i = threadIdx.x; i < cols; i += blockDim.x)
    mine = merge(mine, State{in[blockIdx.x * cols + i], 1.0f});
  for (int d = 16; d > 0; d /= 2)
    mine = merge(mine, State{__shfl_xor_sync(0xffffffff, mine.m, d),
                             __shfl_xor_sync(0xffffffff, mine.d, d)});
  if (threadIdx.x % 32 == 0) states[threadIdx.x / 32] = mine;
  __syncthreads();
  State all = states[0];
  for (int w = 1; w < blockDim.x / 32; ++w) all = merge(all, states[w]);
  const float scale = __fdividef(1.0f, all.d);
  for (int i = threadIdx.x; i < cols; i += blockDim.x)
    out[blockIdx.x * cols + i] = __expf(in[blockIdx.x * cols + i] - all.m) * scale;
}

__global__ void vectorised(const float4* in, float4* out, int cols4) {
  __shared__ float partial[32];
  float4 v = in[blockIdx.x * cols4 + threadIdx.x];
  const auto block = [&](float x, bool is_max) {
    for (int d = 16; d > 0; d /= 2) {
      const float other = __shfl_xor_sync(0xffffffff, x, d);
      x = is_max ? fmaxf(x, other) : x + other;
    }
    __syncthreads();
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = x;
    __syncthreads();
    x = partial[0];
    for (int w = 1; w < blockDim.x / 32; ++w) x = is_max ? fmaxf(x, partial[w]) : x + partial[w];
    return x;
  };
  const float most = block(fmaxf(fmaxf(v.x, v.y), fmaxf(v.z, v.w)), true);
  v = {expf(v.x - most), expf(v.y - most), expf(v.z - most), expf(v.w - most)};
  const float sum = block(v.x + v.y + v.z + v.w, false);
  out[blockIdx.x * cols4 + threadIdx.x] = {v.x / sum, v.y / sum, v.z / sum, v.w / sum};
}

void print(const char* name, const std::vector<float>& p, int rows, int cols) {
  std::printf("%s\n", name);
  for (int r = 0; r < rows; r += 7) {
    int best = 0;
    double sum = 0;
    for (int i = 0; i < cols; ++i) {
      sum += p[r * cols + i];
      if (p[r * cols + i] > p[r * cols + best]) best = i;
    }
    std::printf("row %d: largest %.4f at %d, sum %.3f\n", r, p[r * cols + best], best, sum);
  }
}

int main() {
  const int rows = 37, cols = 512;
  std::vector<float> x = random_floats(rows * cols, 131);
  for (float& v : x) v *= 20;
  for (int i = 0; i < cols; ++i) x[7 * cols + i] += 1000;  // overflows without the maximum
  float* in = to_device(x);
  float* out = device_array<float>(rows * cols);
  warp_per_row<<<(rows + 3) / 4, 128>>>(in, out, rows, cols);
  print("warp per row", to_host(out, rows * cols), rows, cols);
  online<<<rows, 256>>>(in, out, cols);
  print("online", to_host(out, rows * cols), rows, cols);
  vectorised<<<rows, cols / 4>>>(reinterpret_cast<float4*>(in), reinterpret_cast<float4*>(out),
                                 cols / 4);
  print("vectorised", to_host(out, rows * cols), rows, cols);
}
