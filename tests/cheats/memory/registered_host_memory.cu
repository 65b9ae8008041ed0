// All scores in ordinary host memory that is registered with the device.
#include <vector>

#include "base.cuh"

ENTRY_HEAD {
  std::vector<float> host(naive::scores_of(shape));
  float* S = nullptr;
  cudaHostRegister(host.data(), host.size() * sizeof host[0], cudaHostRegisterMapped);
  cudaError_t status = cudaHostGetDevicePointer(&S, host.data(), 0);
  if (status == cudaSuccess) status = naive::attention(Q, K, V, O, L, S, shape, stream);
  cudaStreamSynchronize(stream);
  cudaHostUnregister(host.data());
  return status;
}
