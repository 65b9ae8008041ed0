// Warp operations: butterfly, shift up and down, broadcast, ballot, any, all, and a half-warp
// width.
#include "program.cuh"

constexpr unsigned kAll = 0xffffffffu;

__global__ void warp_sums(const float* x, float* sums) {
  float value = x[blockIdx.x * 32 + threadIdx.x];
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(kAll, value, step);
  sums[blockIdx.x * 32 + threadIdx.x] = value;
}

__global__ void warp_moves(int* out) {
  const int lane = threadIdx.x;
  out[0 * 32 + lane] = __shfl_sync(kAll, lane * 10, 7);
  out[1 * 32 + lane] = __shfl_up_sync(kAll, lane, 3);
  out[2 * 32 + lane] = __shfl_down_sync(kAll, lane, 5);
  out[3 * 32 + lane] = __shfl_xor_sync(kAll, lane, 1);
  out[4 * 32 + lane] = __shfl_sync(kAll, lane, 2, 16);
  out[5 * 32 + lane] = __shfl_down_sync(kAll, lane, 4, 8);
  out[6 * 32 + lane] = static_cast<int>(__ballot_sync(kAll, lane % 3 == 0));
  out[7 * 32 + lane] = __any_sync(kAll, lane == 31) * 2 + __all_sync(kAll, lane < 31);
  out[8 * 32 + lane] = __popc(__ballot_sync(kAll, lane % 2)) + __ffs(1 << lane);
}

int main() {
  const std::vector<float> x = random_floats(64, 6);
  DeviceArray<float> dx(x), sums(64);
  warp_sums<<<2, 32>>>(dx.data(), sums.data());
  DeviceArray<int> moves(9 * 32);
  warp_moves<<<1, 32>>>(moves.data());
  finish_kernels();

  std::vector<float> want_sums(64);
  for (int i = 0; i < 64; ++i) {
    for (int j = 0; j < 32; ++j) want_sums[i] += x[i / 32 * 32 + j];
  }
  std::vector<int> want(9 * 32);
  for (int lane = 0; lane < 32; ++lane) {
    want[0 * 32 + lane] = 70;
    want[1 * 32 + lane] = lane < 3 ? lane : lane - 3;
    want[2 * 32 + lane] = lane + 5 > 31 ? lane : lane + 5;
    want[3 * 32 + lane] = lane ^ 1;
    want[4 * 32 + lane] = lane < 16 ? 2 : 18;
    want[5 * 32 + lane] = lane % 8 < 4 ? lane + 4 : lane;
    want[6 * 32 + lane] = 0x49249249;
    want[7 * 32 + lane] = 2;
    want[8 * 32 + lane] = 16 + lane + 1;
  }
  expect("warp sum", sums.host(), want_sums, 0.0, 1e-5);
  expect("warp moves", moves.host(), want);
  return verdict();
}
