// What the runtime says of kernels that need from few to all registers, spill, or hold shared
// memory, and how many blocks of them fit on a multiprocessor. One JSON object per line. With the
// argument "launch" it also launches each kernel in blocks of 96 threads, for a profiler.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

// `kValues` numbers live at once, in at most `kRegisters` registers, beside `kShared` bytes.
template <int kValues, int kRegisters, int kShared>
__global__ void __maxnreg__(kRegisters) kernel(float* data, int n) {
  __shared__ char shared[kShared + 1];
  float v[kValues];
  for (int i = 0; i < kValues; ++i) v[i] = data[i];
  if (kShared > 0) shared[n] = v[0], __syncthreads(), v[0] = shared[n + 1];
  for (int k = 0; k < n; ++k)
    for (int i = 0; i < kValues; ++i) v[i] = v[i] * v[(i + 1) % kValues] + k;
  for (int i = 0; i < kValues; ++i) data[i] = v[i];
}

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::printf("%s\n", cudaGetErrorString(error));
  std::exit(1);
}

int blocks_of(void (*f)(float*, int), int threads, int dynamic) {
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, f, threads, dynamic));
  return blocks;
}

template <int kValues, int kRegisters = 255, int kShared = 0>
void show(float* data, bool launch) {
  auto f = kernel<kValues, kRegisters, kShared>;
  cudaFuncAttributes at;
  check(cudaFuncGetAttributes(&at, f));
  const int most = 232448 - int(at.sharedSizeBytes);
  check(cudaFuncSetAttribute(f, cudaFuncAttributeMaxDynamicSharedMemorySize, most));
  std::printf(
      "{\"kernel\": \"%d %d %d\", \"registers\": %d, \"local_bytes\": %zu, "
      "\"shared_static_bytes\": %zu",
      kValues, kRegisters, kShared, at.numRegs, at.localSizeBytes, at.sharedSizeBytes);
  // Blocks of 32, 64, ... threads without dynamic shared memory.
  std::printf(", \"by_threads\": [");
  for (int t = 32; t <= 1024; t += 32) std::printf(t < 1024 ? "%d, " : "%d]", blocks_of(f, t, 0));
  // Most dynamic shared memory beside which 1, 2, ... blocks of 33 threads fit.
  std::printf(", \"dynamic_for_blocks\": [");
  for (int blocks = 1; blocks <= blocks_of(f, 33, 0); ++blocks) {
    int low = 0, high = most;
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (blocks_of(f, 33, middle) >= blocks)
        low = middle;
      else
        high = middle - 1;
    }
    std::printf(blocks == 1 ? "%d" : ", %d", low);
  }
  // What the runtime says is left for each of 1, 2, ... blocks of 64 threads.
  std::printf("], \"available_dynamic\": [");
  for (int blocks = 1; blocks <= blocks_of(f, 64, 0); ++blocks) {
    size_t bytes = 0;
    check(cudaOccupancyAvailableDynamicSMemPerBlock(&bytes, f, blocks, 64));
    std::printf(blocks == 1 ? "%zu" : ", %zu", bytes);
  }
  std::printf("]}\n");
  if (launch) f<<<1, 96, 100>>>(data, 0), check(cudaDeviceSynchronize());
}

template <int... i>
void show_all(std::integer_sequence<int, i...>, float* data, bool launch) {
  (show<1 + 6 * i>(data, launch), ...);
}

int main(int count, char** arguments) {
  const bool launch = count > 1 && !std::strcmp(arguments[1], "launch");
  float* data;
  check(cudaMalloc(&data, 1 << 16));
  check(cudaMemset(data, 0, 1 << 16));
  show_all(std::make_integer_sequence<int, 41>(), data, launch);
  show<60, 24>(data, launch), show<200, 64>(data, launch), show<240, 100>(data, launch);
  show<8, 255, 1000>(data, launch), show<8, 255, 16384>(data, launch),
      show<8, 255, 49151>(data, launch);
}
