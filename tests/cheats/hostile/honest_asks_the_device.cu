// honest: asks the device for its properties.
#include "kernel.cuh"

ENTRY {
  int sms = 0, device = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device);
  if (sms < 1) return cudaErrorUnknown;
  return run(Q, K, V, O, shape, stream);
}
