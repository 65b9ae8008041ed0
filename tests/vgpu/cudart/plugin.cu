// A shared object with device code, for programs that open it at run time; with -DWITH_MAIN a
// program.
#include <cuda_runtime.h>

#include <cstdio>

static __device__ int calls = 0;

static __global__ void count(int* out) {
  out[0] = ++calls;
}

/// How often it was called since this object was loaded, counted on the device; minus the error
/// code on failure.
extern "C" int count_calls() {
  int *device = nullptr, host = 0;
  cudaError_t error = cudaMalloc(&device, sizeof host);
  if (error == cudaSuccess) error = cudaMemset(device, 0, sizeof host);
  count<<<1, 1>>>(device);
  if (error == cudaSuccess) error = cudaGetLastError();
  if (error == cudaSuccess) error = cudaMemcpy(&host, device, sizeof host, cudaMemcpyDeviceToHost);
  cudaFree(device);
  return error == cudaSuccess ? host : -static_cast<int>(error);
}

#ifdef WITH_MAIN
struct AtExit {  // uses the runtime in a destructor, after main
  ~AtExit() { std::printf("at exit: %d\n", cudaFree(nullptr)); }
} at_exit;

int main(int argc, char**) {
  int answer = count_calls();
  std::printf("count: %d\n", answer);
  return answer == 1 ? argc - 1 : 99;
}
#endif
