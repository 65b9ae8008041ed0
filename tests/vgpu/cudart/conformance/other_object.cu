// A second object file with device code, with a variable of the same name as one in conformance.cu.
#include <cuda_runtime.h>

static __device__ int device_counter = 100;

static __global__ void add(int* out, int by) {
  *out += by + device_counter;
}

cudaError_t add_in_other_object(int* out, int by) {
  add<<<1, 1>>>(out, by);
  return cudaGetLastError();
}
